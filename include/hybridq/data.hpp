// SPDX-License-Identifier: MIT OR Apache-2.0
//
// Data clustering for training: rows grouped by cluster, and batches drawn from the groups.
// Shapes, units and errors are those of the functions of hybridq.h that each calls.
#ifndef HYBRIDQ_DATA_HPP
#define HYBRIDQ_DATA_HPP

#include "core.hpp"

namespace hybridq {
namespace data {

/// Rows grouped by cluster, in somebody else's memory: what `group` has written.
struct clusters {
    span<const std::uint32_t> starts;
    span<const std::uint32_t> rows;
};

/// `starts` has one value more than there are clusters.
inline clusters group(span<const std::uint32_t> labels, span<std::uint32_t> starts, span<std::uint32_t> rows) {
    check(hq_data_group(labels.data(), labels.size(), starts.data(), starts.size(), rows.data(), rows.size()));
    return {{starts.data(), starts.size()}, {rows.data(), rows.size()}};
}

/// `probabilities` may be empty.
inline void sampling(const clusters& c, float exponent, span<std::uint64_t> tickets, span<float> probabilities = {}) {
    check(hq_data_sampling(c.starts.data(), c.starts.size(), c.rows.data(), c.rows.size(), exponent, tickets.data(),
                           tickets.size(), probabilities.data(), probabilities.size()));
}

inline hq_data_batch cluster_batch(const clusters& c, span<const std::uint64_t> tickets, std::uint64_t seed,
                                   std::uint64_t step, span<std::uint32_t> batch) {
    hq_data_batch found{};
    check(hq_data_cluster_batch(c.starts.data(), c.starts.size(), c.rows.data(), c.rows.size(), tickets.data(),
                                tickets.size(), seed, step, batch.data(), batch.size(), &found));
    return found;
}

/// `weights` may be empty.
inline void sample(const clusters& c, span<const std::uint64_t> tickets, std::uint64_t seed, std::uint64_t step,
                   span<std::uint32_t> batch, span<float> weights = {}) {
    check(hq_data_sample(c.starts.data(), c.starts.size(), c.rows.data(), c.rows.size(), tickets.data(),
                         tickets.size(), seed, step, batch.data(), batch.size(), weights.data(), weights.size()));
}

/// Batches of an epoch.
inline std::size_t batches(std::size_t rows, std::size_t batch_size, bool drop_last = false) {
    return size(hq_data_batches(rows, batch_size, drop_last));
}

/// The part of `batch` that holds rows.
inline span<std::uint32_t> balanced_batch(const clusters& c, std::size_t batch_size, bool drop_last,
                                          std::uint64_t seed, std::uint64_t step, span<std::uint32_t> batch) {
    std::size_t count = 0;
    check(hq_data_balanced_batch(c.starts.data(), c.starts.size(), c.rows.data(), c.rows.size(), batch_size,
                                 drop_last, seed, step, batch.data(), batch.size(), &count));
    return {batch.data(), count};
}

} // namespace data
} // namespace hybridq

#endif // HYBRIDQ_DATA_HPP
