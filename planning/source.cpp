// Anchors the library until its first real unit; replaced by the parser.

#include "planning/source.hpp"
