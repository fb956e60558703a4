! SPDX-License-Identifier: MIT OR Apache-2.0
!
! 3.5-bit weights from Fortran: quantizes a matrix, multiplies it with a batch of vectors, and compares with the f32
! product of Fortran's own matmul. Ends with status 1 if they disagree.
!
!   matmul             prints the relative errors
!   matmul --disturb   turns over half of the packed bits before the product: must be found to disagree
program matmul_example
    use, intrinsic :: iso_c_binding, only: c_float, c_int8_t, c_int32_t, c_null_ptr, c_size_t
    use, intrinsic :: iso_fortran_env, only: error_unit
    use hybridq
    implicit none

    type :: entry
        character(8) :: name
        integer(c_int32_t) :: format
        real(c_float) :: error ! at most, relative to the f32 product
    end type

    type(entry), parameter :: formats(*) = [ &
        entry('q35p', HQ_FORMAT_Q35P, 0.18), &
        entry('q35b', HQ_FORMAT_Q35B, 0.14)]

    ! No multiple of any block.
    integer(c_size_t), parameter :: rows = 193, cols = 1100, batch = 5
    real(c_float), allocatable :: w(:, :), x(:, :)
    character(16) :: argument
    logical :: disturb, agree
    integer :: i

    call get_command_argument(1, argument)
    disturb = argument == '--disturb'
    call check('hq_selftest', hq_selftest())

    allocate (w(cols, rows), x(cols, batch))
    call fill(w, 1)
    call fill(x, 2)
    agree = .true.
    print '(a)', 'format    bits/weight   against f32 weights   against decoded weights'
    do i = 1, size(formats)
        agree = compare(formats(i)) .and. agree
    end do
    if (.not. agree) then
        write (error_unit, '(a)') 'matmul: the products disagree'
        stop 1
    end if

contains

    logical function compare(this) result(agree)
        type(entry), intent(in) :: this
        integer(c_int8_t), allocatable :: packed(:), scratch(:)
        type(hq_act_block), allocatable :: acts(:)
        real(c_float), allocatable :: decoded(:, :), y(:, :), z(:, :)
        real(c_float) :: total, kernel, exact, bits
        integer(c_size_t) :: bytes

        bytes = hq_matrix_size(this%format, rows, cols)
        allocate (packed(bytes), scratch(hq_quantize_workspace_size(this%format, c_null_ptr, rows, cols)))
        allocate (acts(batch*hq_act_count(cols)))
        allocate (decoded(cols, rows), y(rows, batch), z(rows, batch))

        call check('hq_quantize', hq_quantize(this%format, c_null_ptr, rows, cols, w, size(w, kind=c_size_t), &
            packed, bytes, scratch, size(scratch, kind=c_size_t)))
        call check('hq_dequantize', hq_dequantize(this%format, rows, cols, packed, bytes, decoded, &
            size(decoded, kind=c_size_t)))
        if (disturb) packed = ieor(packed, 85_c_int8_t)
        call check('hq_quantize_activations', hq_quantize_activations(batch, cols, x, size(x, kind=c_size_t), &
            HQ_NON_FINITE_ERROR, acts, size(acts, kind=c_size_t)))
        call check('hq_matmul', hq_matmul(this%format, rows, cols, packed, bytes, batch, acts, &
            size(acts, kind=c_size_t), y, size(y, kind=c_size_t)))
        call check('hq_matmul_f32', hq_matmul_f32(this%format, rows, cols, packed, bytes, batch, x, &
            size(x, kind=c_size_t), z, size(z, kind=c_size_t)))

        ! The error of the weights; what int8 activations add to it; and rounding alone.
        total = relative(y, matmul(transpose(w), x))
        kernel = relative(y, matmul(transpose(decoded), x))
        exact = relative(z, matmul(transpose(decoded), x))
        bits = 8*real(bytes)/real(rows*cols)
        print '(a, f13.3, f22.4, f26.4)', this%name, bits, total, kernel
        agree = total <= this%error .and. kernel <= 0.015 .and. exact <= 1e-5
    end function

    ! sqrt(sum (y - z)^2 / sum z^2)
    pure real(c_float) function relative(y, z)
        real(c_float), intent(in) :: y(:, :), z(:, :)
        relative = norm2(y - z)/norm2(z)
    end function

    subroutine check(what, status)
        character(*), intent(in) :: what
        integer(c_int32_t), intent(in) :: status
        if (status == HQ_OK) return
        write (error_unit, '(4a)') 'matmul: ', what, ': ', hq_message(status)
        stop 2
    end subroutine

    ! Nearly normal values: sums of twelve uniform ones, from a linear congruential generator.
    subroutine fill(a, seed)
        real(c_float), intent(out) :: a(:, :)
        integer, intent(in) :: seed
        integer, parameter :: long = selected_int_kind(18)
        integer(long) :: state
        integer :: i, j, k
        state = seed
        do j = 1, size(a, 2)
            do i = 1, size(a, 1)
                a(i, j) = -6
                do k = 1, 12
                    state = modulo(1664525_long*state + 1013904223_long, 4294967296_long)
                    a(i, j) = a(i, j) + real(state/256)/16777216.0
                end do
            end do
        end do
    end subroutine

end program
