#!/usr/bin/env bash
# Formatting and static analysis of our own files. Arguments: SOURCE BUILD CLANG_FORMAT RUN_CLANG_TIDY.
set -euo pipefail
cd "$1"
mapfile -t files < <(git ls-files '*.cpp' '*.hpp' | grep -v '^examples/')
"$3" --dry-run --Werror "${files[@]}"
# A precompiled header of g++ is nothing that clang reads: analyse without it.
mkdir -p "$2/lint"
sed -E 's/-Winvalid-pch -include [^ ]*cmake_pch\.hxx//' "$2/compile_commands.json" >"$2/lint/compile_commands.json"
"$4" -quiet -p "$2/lint" '^.*/(base|messages|planning|claude|state|cluster|actors|simulator|cli)/[^/]*\.cpp$'
