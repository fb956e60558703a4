// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Gradient packets: ternary gradients of shards that are sent around and added in integers, in any order.
// Shapes, units and errors are those of the functions of hybridq.h that each calls.
#ifndef HYBRIDQ_PACKETS_HPP
#define HYBRIDQ_PACKETS_HPP

#include "core.hpp"

namespace hybridq {

/// Gradients between machines.
namespace packets {

inline hq_gradient_packet_options default_options() {
    hq_gradient_packet_options options{};
    check(hq_gradient_packet_options_init(&options));
    return options;
}

/// Bytes of a packet of `len` values.
inline std::size_t packet_size(std::size_t len) { return size(hq_gradient_packet_size(len)); }

/// Bytes of what the sender keeps for each shard; they start as zeros.
inline std::size_t residual_size(const hq_gradient_packet_options& options, std::size_t len) {
    return size(hq_gradient_packet_residual_size(&options, len));
}

/// Bytes of `scratch`.
inline std::size_t workspace_size(std::size_t len) { return size(hq_gradient_packet_workspace_size(len)); }

/// Makes a packet of the gradient of a shard; what is lost goes to `residual`. Returns the norm of that over the norm
/// of gradient with residual.
inline float encode(const hq_gradient_packet_options& options, const hq_gradient_tag& tag,
                    span<const float> gradient, span<std::uint8_t> residual, span<std::uint8_t> packet,
                    span<std::uint8_t> scratch) {
    float lost = 0;
    check(hq_gradient_packet_encode(&options, &tag, gradient.data(), gradient.size(), residual.data(), residual.size(),
                                    packet.data(), packet.size(), &lost, scratch.data(), scratch.size()));
    return lost;
}

/// Checks a whole packet and says what it is.
inline hq_gradient_packet inspect(span<const std::uint8_t> packet) {
    hq_gradient_packet info{};
    check(hq_gradient_packet_inspect(packet.data(), packet.size(), &info));
    return info;
}

/// The gradient of one packet; `out` holds as many values as the packet has.
inline hq_gradient_packet decode(span<const std::uint8_t> packet, span<float> out) {
    hq_gradient_packet info{};
    check(hq_gradient_packet_decode(packet.data(), packet.size(), out.data(), out.size(), &info));
    return info;
}

// Sums: what the array of integers beside them stands for.

/// Sums of no packets; the array is all zeros. `unit` is that of the options of the packets.
inline hq_gradient_sums start_sums(std::uint64_t step, std::uint64_t first, std::int32_t unit) {
    hq_gradient_sums sums{};
    check(hq_gradient_sums_init(step, first, unit, &sums));
    return sums;
}

/// Adds a packet, each one once. If this throws, the sums are what they were.
inline void merge(span<const std::uint8_t> packet, hq_gradient_sums& sums, span<std::int64_t> values) {
    check(hq_gradient_packet_merge(packet.data(), packet.size(), &sums, values.data(), values.size()));
}

/// Adds the sums of another thread or rank.
inline void join(const hq_gradient_sums& from, span<const std::int64_t> from_values, hq_gradient_sums& sums,
                 span<std::int64_t> values) {
    check(hq_gradient_sums_join(&from, from_values.data(), from_values.size(), &sums, values.data(), values.size()));
}

/// The weighted mean of all gradients in sums.
inline void finish(const hq_gradient_sums& sums, span<const std::int64_t> values, span<float> mean) {
    check(hq_gradient_sums_finish(&sums, values.data(), values.size(), mean.data(), mean.size()));
}

static_assert(sizeof(hq_gradient_packet_options) == 24 && sizeof(hq_gradient_tag) == 24,
              "hq_gradient_packet_options is 24 bytes, hq_gradient_tag too");
static_assert(sizeof(hq_gradient_packet) == 40, "hq_gradient_packet is 40 bytes");
static_assert(sizeof(hq_gradient_sums) == 32, "hq_gradient_sums is 32 bytes");

} // namespace packets

} // namespace hybridq

#endif // HYBRIDQ_PACKETS_HPP
