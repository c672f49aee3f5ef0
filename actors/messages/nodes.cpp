// Names.

#include "actors/messages/nodes.hpp"

namespace cohort::actors {

std::string_view name(node_status status) noexcept {
  switch (status) {
    case node_status::joined: return "joined";
    case node_status::leaving: return "leaving";
    case node_status::put_aside: return "put aside";
    case node_status::lost: return "lost";
    case node_status::left: return "left";
  }
  return "unknown";
}

}  // namespace cohort::actors
