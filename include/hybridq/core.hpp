// SPDX-License-Identifier: MIT OR Apache-2.0
//
// What all of hybridq for C++17 stands on: errors as exceptions, spans, answers of size queries.
#ifndef HYBRIDQ_CORE_HPP
#define HYBRIDQ_CORE_HPP

#include "../hybridq.h"

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <type_traits>
#include <utility>

namespace hybridq {

/// What a function throws: the status and its text.
class error : public std::runtime_error {
public:
    explicit error(hq_status status) : std::runtime_error(hq_status_string(status)), status_(status) {}
    hq_status status() const noexcept { return status_; }

private:
    hq_status status_;
};

/// Throws unless `status` is HQ_OK.
inline void check(hq_status status) {
    if (status != HQ_OK) throw error(status);
}

/// An array in somebody else's memory, made from a pointer and a length, an array, or a container with data()
/// and size().
template <class T>
class span {
public:
    constexpr span() noexcept = default;
    constexpr span(T* data, std::size_t size) noexcept : data_(data), size_(size) {}
    template <std::size_t N>
    constexpr span(T (&array)[N]) noexcept : data_(array), size_(N) {}
    template <class C, class P = decltype(std::declval<C&>().data()),
              class = decltype(std::declval<C&>().size()),
              class = std::enable_if_t<std::is_convertible_v<std::remove_pointer_t<P> (*)[], T (*)[]>>>
    constexpr span(C&& container) noexcept : data_(container.data()), size_(container.size()) {}

    constexpr T* data() const noexcept { return data_; }
    constexpr std::size_t size() const noexcept { return size_; }
    constexpr T* begin() const noexcept { return data_; }
    constexpr T* end() const noexcept { return data_ + size_; }
    constexpr T& operator[](std::size_t i) const noexcept { return data_[i]; }

private:
    T* data_ = nullptr;
    std::size_t size_ = 0;
};

/// The answer of a size query; throws where there is none.
inline std::size_t size(std::size_t answer) {
    if (answer == SIZE_MAX) throw error(HQ_ERROR_INVALID_ARGUMENT);
    return answer;
}

/// Throws if this build gives wrong results on this machine.
inline void selftest() { check(hq_selftest()); }

/// The same of constraint sets and the trust region.
inline void selftest_constrain() { check(hq_selftest_constrain()); }

/// The same of the optimizer and latent-free learning.
inline void selftest_learn() { check(hq_selftest_learn()); }

} // namespace hybridq

#endif // HYBRIDQ_CORE_HPP
