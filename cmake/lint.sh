#!/usr/bin/env bash
# Formatting and static analysis of our own files. Arguments: SOURCE BUILD CLANG_FORMAT RUN_CLANG_TIDY.
set -euo pipefail
cd "$1"
mapfile -t files < <(git ls-files '*.cpp' '*.hpp' | grep -v '^examples/')
"$3" --dry-run --Werror "${files[@]}"
"$4" -quiet -p "$2" '^.*/(base|messages|planning|claude|state|actors|simulator|cli)/[^/]*\.cpp$'
