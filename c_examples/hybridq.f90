! SPDX-License-Identifier: MIT OR Apache-2.0
!
! hybridq for Fortran: interfaces to the functions of hybridq.h that quantize weights and multiply them.
! include/hybridq.h documents them. Take this file into your program; the rest is written the same way.
!
! Matrices of the library are row-major, those of Fortran column-major: a weight matrix of `rows` outputs and `cols`
! inputs is an array w(cols, rows) here, vectors are x(cols, batch), products y(rows, batch).
module hybridq
    use, intrinsic :: iso_c_binding, only: c_char, c_f_pointer, c_float, c_int8_t, c_int16_t, c_int32_t, &
        c_ptr, c_size_t
    implicit none
    private

    integer(c_int32_t), parameter, public :: HQ_OK = 0
    integer(c_int32_t), parameter, public :: HQ_FORMAT_Q8_0 = 8
    integer(c_int32_t), parameter, public :: HQ_FORMAT_TQ1_0 = 34
    integer(c_int32_t), parameter, public :: HQ_FORMAT_TQ2_0 = 35
    integer(c_int32_t), parameter, public :: HQ_FORMAT_DENSE_TERNARY = 1000
    integer(c_int32_t), parameter, public :: HQ_FORMAT_FIVE_LEVEL = 1001
    integer(c_int32_t), parameter, public :: HQ_FORMAT_Q35P = 1002
    integer(c_int32_t), parameter, public :: HQ_FORMAT_Q35B = 1003
    integer(c_int32_t), parameter, public :: HQ_NON_FINITE_ERROR = 0
    integer(c_int32_t), parameter, public :: HQ_NON_FINITE_SATURATE = 1

    ! 256 int8 activations with their scale; 292 bytes.
    type, bind(c), public :: hq_act_block
        real(c_float) :: scale
        integer(c_int8_t) :: codes(256)
        integer(c_int16_t) :: sums(16)
    end type

    ! How to quantize; 24 bytes. hq_quantize_options_init fills it, c_loc(options) passes it.
    type, bind(c), public :: hq_quantize_options
        integer(c_int32_t) :: fit
        integer(c_int32_t) :: granularity
        integer(c_int32_t) :: non_finite
        real(c_float) :: percentile
        real(c_float) :: threshold
        real(c_float) :: scale
    end type

    public :: hq_message, hq_matrix_size, hq_quantize_options_init, hq_quantize_workspace_size, hq_quantize, &
        hq_dequantize, hq_act_count, hq_quantize_activations, hq_matmul, hq_matmul_f32, hq_selftest

    interface
        pure function hq_matrix_size(format, rows, cols) result(bytes) bind(c)
            import :: c_int32_t, c_size_t
            integer(c_int32_t), value :: format
            integer(c_size_t), value :: rows, cols
            integer(c_size_t) :: bytes
        end function

        function hq_quantize_options_init(format, options) result(status) bind(c)
            import :: c_int32_t, hq_quantize_options
            integer(c_int32_t), value :: format
            type(hq_quantize_options), intent(out) :: options
            integer(c_int32_t) :: status
        end function

        ! options: c_loc of them, or c_null_ptr for the defaults.
        function hq_quantize_workspace_size(format, options, rows, cols) result(bytes) bind(c)
            import :: c_int32_t, c_ptr, c_size_t
            integer(c_int32_t), value :: format
            type(c_ptr), value :: options
            integer(c_size_t), value :: rows, cols
            integer(c_size_t) :: bytes
        end function

        function hq_quantize(format, options, rows, cols, x, x_len, out, out_size, scratch, scratch_size) &
                result(status) bind(c)
            import :: c_float, c_int8_t, c_int32_t, c_ptr, c_size_t
            integer(c_int32_t), value :: format
            type(c_ptr), value :: options
            integer(c_size_t), value :: rows, cols, x_len, out_size, scratch_size
            real(c_float), intent(in) :: x(*)
            integer(c_int8_t), intent(inout) :: out(*), scratch(*)
            integer(c_int32_t) :: status
        end function

        function hq_dequantize(format, rows, cols, data, data_size, out, out_len) result(status) bind(c)
            import :: c_float, c_int8_t, c_int32_t, c_size_t
            integer(c_int32_t), value :: format
            integer(c_size_t), value :: rows, cols, data_size, out_len
            integer(c_int8_t), intent(in) :: data(*)
            real(c_float), intent(inout) :: out(*)
            integer(c_int32_t) :: status
        end function

        pure function hq_act_count(cols) result(blocks) bind(c)
            import :: c_size_t
            integer(c_size_t), value :: cols
            integer(c_size_t) :: blocks
        end function

        function hq_quantize_activations(batch, cols, x, x_len, non_finite, out, out_len) result(status) bind(c)
            import :: c_float, c_int32_t, c_size_t, hq_act_block
            integer(c_size_t), value :: batch, cols, x_len, out_len
            real(c_float), intent(in) :: x(*)
            integer(c_int32_t), value :: non_finite
            type(hq_act_block), intent(inout) :: out(*)
            integer(c_int32_t) :: status
        end function

        function hq_matmul(format, rows, cols, weights, weights_size, batch, acts, acts_len, y, y_len) &
                result(status) bind(c)
            import :: c_float, c_int8_t, c_int32_t, c_size_t, hq_act_block
            integer(c_int32_t), value :: format
            integer(c_size_t), value :: rows, cols, weights_size, batch, acts_len, y_len
            integer(c_int8_t), intent(in) :: weights(*)
            type(hq_act_block), intent(in) :: acts(*)
            real(c_float), intent(inout) :: y(*)
            integer(c_int32_t) :: status
        end function

        function hq_matmul_f32(format, rows, cols, weights, weights_size, batch, x, x_len, y, y_len) &
                result(status) bind(c)
            import :: c_float, c_int8_t, c_int32_t, c_size_t
            integer(c_int32_t), value :: format
            integer(c_size_t), value :: rows, cols, weights_size, batch, x_len, y_len
            integer(c_int8_t), intent(in) :: weights(*)
            real(c_float), intent(in) :: x(*)
            real(c_float), intent(inout) :: y(*)
            integer(c_int32_t) :: status
        end function

        function hq_selftest() result(status) bind(c)
            import :: c_int32_t
            integer(c_int32_t) :: status
        end function

        function hq_status_string(status) result(text) bind(c)
            import :: c_int32_t, c_ptr
            integer(c_int32_t), value :: status
            type(c_ptr) :: text
        end function

        pure function c_strlen(text) result(length) bind(c, name='strlen')
            import :: c_ptr, c_size_t
            type(c_ptr), value :: text
            integer(c_size_t) :: length
        end function
    end interface

contains

    ! What a status means and how to mend it.
    function hq_message(status) result(message)
        integer(c_int32_t), intent(in) :: status
        character(:), allocatable :: message
        character(kind=c_char), pointer :: letters(:)
        type(c_ptr) :: text
        integer :: i
        text = hq_status_string(status)
        call c_f_pointer(text, letters, [c_strlen(text)])
        allocate (character(size(letters)) :: message)
        do i = 1, size(letters)
            message(i:i) = letters(i)
        end do
    end function

end module
