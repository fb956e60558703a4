// SPDX-License-Identifier: MIT OR Apache-2.0
//
// hybridq for C++17: the functions of hybridq.h with spans, and exceptions instead of statuses. Header-only,
// allocates nothing. With exceptions switched off, use hybridq.h.
#ifndef HYBRIDQ_HPP
#define HYBRIDQ_HPP

#include "hybridq/constrain.hpp"
#include "hybridq/core.hpp"
#include "hybridq/data.hpp"
#include "hybridq/hybrid.hpp"
#include "hybridq/kmeans.hpp"
#include "hybridq/layers.hpp"
#include "hybridq/learn.hpp"
#include "hybridq/linear.hpp"
#include "hybridq/packets.hpp"
#include "hybridq/predictor.hpp"

#endif // HYBRIDQ_HPP
