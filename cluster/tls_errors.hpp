// OpenSSL notes errors in one queue for each thread, and judges the next call of any connection by what it finds there.
// The actor framework never empties that queue: one peer that hangs up in the middle then ends the connection of
// whichever other peer has its turn next. Here each call begins with an empty queue, for the whole process.
#pragma once

namespace cohort {

/// Call it before the network layer is loaded. False if OpenSSL's own calls cannot be found behind ours: then
/// connections cannot be relied on.
[[nodiscard]] bool keep_tls_errors_apart();

}  // namespace cohort
