// Names.

#include "actors/messages/nodes.hpp"

namespace cohort::actors {

std::string_view name(node_standing standing) noexcept {
  switch (standing) {
    case node_standing::joined: return "joined";
    case node_standing::leaving: return "leaving";
    case node_standing::put_aside: return "put aside";
    case node_standing::lost: return "lost";
    case node_standing::left: return "left";
  }
  return "unknown";
}

}  // namespace cohort::actors
