#!/bin/sh
# luvd from a fresh Debian 12 to a running program. Safe to repeat; says what it does.

set -eu
cd "$(dirname "$0")"

usage() {
  cat <<TEXT
usage: ./setup.sh run [--set KEY=VALUE ...]   build, then run the hello example in the foreground
       ./setup.sh build                       build build/luvd
       ./setup.sh test                        build and run every test
       ./setup.sh fuzz [SECONDS]              build the fuzzers and run each for so long (60)
       ./setup.sh golden                      write the golden files and the manual anew, after a change that is meant
Each installs the Debian packages that are missing first.
TEXT
  exit "$1"
}

say() {
  printf '==> %s\n' "$*"
}

die() {
  printf 'setup.sh: %s\n' "$*" >&2
  exit 1
}

# --- what is needed ---

# rsyslog is not among them: installed, it would become the log daemon of this machine. Its test is
# pending where it is missing; busybox has the syslog daemon of the others.
packages_build="gcc libc6-dev cmake ninja-build pkg-config liblua5.4-dev libuv1-dev lua-luv-dev libc-ares-dev
  libcap-ng-dev libedit-dev node-llhttp"
packages_test="lua5.4 lua-busted lua-luv lua-check lua-dkjson libcmocka-dev clang-format clang-tidy
  valgrind libc6-dbg strace logrotate systemd s6 busybox netcat-openbsd curl bind9-dnsutils tzdata
  chromium-headless-shell redis-tools mandoc groff-base zsh fish"
# Only unpacked, into build/unpacked: installed, runit would add users, an enabled service and a hook of init scripts.
packages_unpacked="runit"
packages_fuzz="clang libclang-rt-dev llvm"

commands_build="cc cmake ninja pkg-config"
commands_test="lua5.4 busted luacheck clang-format run-clang-tidy valgrind strace logrotate s6-supervise nc curl dig redis-cli
  mandoc groff zsh fish"
commands_fuzz="clang"
modules_build="lua5.4 libuv lua5.4-luv libcares libcap-ng libedit"
modules_test="cmocka"

is_debian_12() {
  [ -r /etc/os-release ] && (. /etc/os-release && [ "${ID:-}" = debian ] && [ "${VERSION_ID:-}" = 12 ])
}

missing_packages() {
  for package in "$@"; do
    status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) || status=none
    [ "$status" = installed ] || printf '%s ' "$package"
  done
}

as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  else
    sudo "$@"
  fi
}

install_packages() {
  missing=$(missing_packages "$@")
  if [ -z "$missing" ]; then
    say "all packages are installed"
    return
  fi
  [ "$(id -u)" = 0 ] || command -v sudo >/dev/null ||
    die "not root and no sudo: install these packages first: $missing"
  say "installing: $missing"
  as_root apt-get -q update
  # shellcheck disable=SC2086 # a list of words
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install $missing
}

# What a test wants the programs of, but nobody the installation. Where that fails its tests are pending.
unpack_packages() {
  for package in "$@"; do
    [ -d "build/unpacked/$package" ] && continue
    say "unpacking: $package"
    mkdir -p build/unpacked
    (cd build/unpacked && apt-get -q download "$package" >/dev/null 2>&1 &&
      dpkg-deb -x "$package"_*.deb "$package") || say "$package is not there: its tests are pending"
    rm -f "build/unpacked/${package}_"*.deb
  done
}

# Another system: everything may be there already; else the list of what to install.
require_tools() {
  missing=
  for command in $1; do
    command -v "$command" >/dev/null || missing="$missing $command"
  done
  for module in $2; do
    pkg-config --exists "$module" 2>/dev/null || missing="$missing $module.pc"
  done
  [ -z "$missing" ] && return
  cat >&2 <<TEXT
setup.sh: this is not Debian 12, and these are missing:$missing
install what corresponds to these Debian packages, then run it again:
  $(echo $3)
TEXT
  exit 1
}

prepare() {
  if is_debian_12; then
    # shellcheck disable=SC2086
    install_packages $packages_build $1
  else
    require_tools "$commands_build $2" "$modules_build $3" "$packages_build $1"
  fi
}

# --- building ---

build() { # FOLDER TARGETS... -- CMAKE OPTIONS...
  folder=$1
  targets=
  shift
  while [ $# -gt 0 ] && [ "$1" != -- ]; do
    targets="$targets $1"
    shift
  done
  [ $# -gt 0 ] && shift
  say "building $folder/luvd"
  cmake -S . -B "$folder" -G Ninja "$@" >"$folder.log" 2>&1 || { cat "$folder.log" >&2; exit 1; }
  rm -f "$folder.log"
  # shellcheck disable=SC2086
  ninja -C "$folder" --quiet $targets || exit 1
}

# --- testing ---

passed=0 failed=0 skipped=0

count() { # NAME PASSED FAILED SKIPPED
  passed=$((passed + $2)) failed=$((failed + $3)) skipped=$((skipped + $4))
  printf '    %s: %s passed, %s failed, %s skipped\n' "$1" "$2" "$3" "$4"
}

# One check that is right or wrong as a whole.
check() { # NAME COMMAND...
  name=$1
  shift
  say "$name"
  if "$@" >"$logs/$name.log" 2>&1; then
    count "$name" 1 0 0
  else
    tail -n 200 "$logs/$name.log"
    count "$name" 0 1 0
  fi
}

# Unit tests: each test of each program counts, a program that dies counts as one that failed, a
# run under valgrind as one.
unit_tests() { # FOLDER JOBS
  say "unit tests in $1"
  log="$logs/unit-$1.log"
  ctest --test-dir "$1" --verbose --timeout 120 -j "$2" >"$log" 2>&1 || grep -E '\[  ERROR|\[   LINE|FAILED|Failed|ERROR:|\*\*\*|==[0-9]+==' "$log" || true
  # shellcheck disable=SC2046
  count "unit tests in $1" $(awk '
    /^[0-9]+: \[       OK \]/ { split($1, i, ":"); ok[i[1]]++ }
    /^[0-9]+: \[  FAILED  \] [0-9]+ test\(s\)/ { split($1, i, ":"); bad[i[1]] += $5 }
    /^[0-9]+: \[  SKIPPED \] [0-9]+ test\(s\)/ { split($1, i, ":"); skip[i[1]] += $5 }
    /^ *[0-9]+\/[0-9]+ Test +#[0-9]+: / {
      match($0, /#[0-9]+/)
      n = substr($0, RSTART + 1, RLENGTH - 1)
      good = / Passed /
      if ($0 ~ /: valgrind\./) { ok[n] = good; bad[n] = !good; skip[n] = 0 }
      else if (good && !ok[n]) ok[n] = 1
      else if (!good && !bad[n]) bad[n] = 1
      seen = 1
    }
    END {
      for (n in ok) passed += ok[n]
      for (n in bad) failed += bad[n]
      for (n in skip) skipped += skip[n]
      print passed + 0, seen ? failed + 0 : 1, skipped + 0
    }' "$log")
}

# Something else beside the specs, which mostly wait. It counts one thing, which is its last line.
beside() { # WHAT COMMAND...
  what=$1
  shift
  ("$@") >"$logs/beside-$what.log" 2>&1 &
  eval "beside_$what=$!"
}

gather() { # WHAT
  eval "wait \"\$beside_$1\"" || true
  sed '$d' "$logs/beside-$1.log"
  name=$(sed -n '$s/^ *\(.*\): [0-9]* passed, .*$/\1/p' "$logs/beside-$1.log")
  # shellcheck disable=SC2046
  count "${name:-$1}" $(sed -n '$s/^.*: \([0-9]*\) passed, \([0-9]*\) failed, \([0-9]*\) skipped$/\1 \2 \3/p' \
    "$logs/beside-$1.log" | grep . || echo 0 1 0)
}

specs() { # NAME FOLDER COMMAND...
  name=$1
  export LUVD_BUILD="$2"
  shift 2
  say "$name"
  log="$logs/$(echo "$name" | tr ' ' -).log"
  "$@" -o TAP 2>&1 | tee "$log" | grep -vE '^ok [0-9]+ - [^#]' || true
  # shellcheck disable=SC2046
  count "$name" $(awk '
    /^ok [0-9]+ - # SKIP/ { skipped++; next }
    /^ok [0-9]+ / { passed++ }
    /^not ok [0-9]+ / { failed++ }
    /^1\.\.[0-9]+$/ { whole = 1 }
    END { print passed + 0, failed + !whole, skipped + 0 }' "$log")
}

# A test ends what is left of the luvd that it tests: two runs at once have a copy each.
second_luvd() { # FOLDER
  mkdir -p "$1/second"
  cp "$1/luvd" "$1/second/luvd"
  ln -sf luvd "$1/second/luvd-lua"
}

refusals='spec/system/(inject|kill)_spec'
# They look at texts, which are the same whatever the compiler has put into the program.
texts='spec/(lua|plan|outside)/|spec/system/(completion|guide|help|manual|new|newcomer|pages|readme)_spec'

spec_files() {
  find spec examples -name '*_spec.lua' | sort
}

# Those that luvd itself runs, because they try luvd.testing.
spec_files_inside() {
  spec_files | xargs grep -l 'require "luvd.testing"'
}

# --- fuzzing ---

# What a fuzzer finds on its way stays in build-fuzz/corpus for the next run; a crash leaves its
# input beside it.
fuzz() { # NOUN SECONDS
  found=build-fuzz/corpus/$1 words=spec/fuzz/$1.dict log=build-fuzz/$1.log
  [ -f "$words" ] || words=
  mkdir -p "$found"
  say "fuzzing $1 for $2 s"
  if "build-fuzz/fuzz/$1_fuzz" -max_total_time="$2" -timeout=10 -rss_limit_mb=2048 \
    -print_final_stats=1 -artifact_prefix="build-fuzz/$1-" ${words:+"-dict=$words"} \
    "$found" "spec/fuzz/corpus/$1" >"$log" 2>&1; then
    grep '^Done' "$log" | sed 's/^/    /'
  else
    tail -n 60 "$log"
    return 1
  fi
}

fuzz_all() { # SECONDS
  crashed=
  for file in spec/fuzz/*_fuzz.c; do
    noun=$(basename "$file" _fuzz.c)
    fuzz "$noun" "$1" || crashed="$crashed $noun"
  done
  [ -z "$crashed" ] || die "these have failed:$crashed"
}

c_files() {
  find src spec -name '*.[ch]' | sort
}

format_check() {
  c_files | xargs clang-format --dry-run -Werror
}

# It runs beside the specs, on half of the cores. The analyzer gives a function up
# earlier than by itself, where it would take four times as long: `run-clang-tidy -p build` looks as far as it can.
tidy_begin() {
  nice run-clang-tidy -quiet -j $((($(nproc) + 1) / 2)) -p build -extra-arg=-Xclang -extra-arg=-analyzer-config \
    -extra-arg=-Xclang -extra-arg=max-nodes=20000 "$PWD/src/.*\.c$" >"$logs/clang-tidy.log" 2>&1 &
  tidy=$!
  trap 'kill "$tidy" 2>/dev/null' EXIT
}

tidy_end() {
  say clang-tidy
  trap - EXIT
  if wait "$tidy"; then
    count clang-tidy 1 0 0
  else
    grep -A 20 -E '(error|warning):' "$logs/clang-tidy.log" | tail -n 100
    count clang-tidy 0 1 0
  fi
}

run_tests() {
  logs=build/test
  mkdir -p "$logs"
  check luacheck luacheck -q .
  check clang-format format_check
  unit_tests build 2
  beside units unit_tests build-asan 1
  second_luvd build
  # Some tests of load take minutes by design.
  # shellcheck disable=SC2046
  beside refusals specs "specs of refused calls" build/second build/second/luvd test --time-limit 10m \
    $(spec_files | grep -E "$refusals")
  tidy_begin
  # shellcheck disable=SC2046
  specs "specs" build build/luvd test --time-limit 10m $(spec_files | grep -vE "$refusals")
  gather units
  gather refusals
  # Leaks are valgrind's part: the leak check cannot work inside a chroot.
  export ASAN_OPTIONS=detect_leaks=0 LUVD_PATIENCE=2
  spec_files_inside >"$logs/inside"
  # shellcheck disable=SC2046
  specs "specs under sanitizers" build-asan busted --lua=build/luvd-lua --exclude-tags=plain \
    $(spec_files | grep -vE "$texts" | grep -vxFf "$logs/inside")
  # shellcheck disable=SC2046
  specs "specs under sanitizers in luvd" build-asan busted --exclude-tags=plain $(grep -vE "$texts" "$logs/inside")
  tidy_end
  printf '%s passed, %s failed' "$passed" "$failed"
  [ "$skipped" -eq 0 ] || printf ', %s skipped' "$skipped"
  echo
  [ "$failed" -eq 0 ]
}

case ${1:-} in
build)
  prepare "" "" ""
  build build luvd manual
  say "done: build/luvd; 'cmake --install build' puts it on PATH"
  ;;
run)
  shift
  prepare "" "" ""
  build build luvd
  [ $# -gt 0 ] || say "open http://127.0.0.1:8080/ in a browser; Ctrl-C stops it"
  exec build/luvd run examples/hello/hello.lua "$@"
  ;;
test)
  prepare "$packages_test" "$commands_test" "$modules_test"
  build build
  build build-asan -- -DLUVD_SANITIZE=ON
  # shellcheck disable=SC2086
  if is_debian_12; then unpack_packages $packages_unpacked; fi
  run_tests
  ;;
fuzz)
  case ${2:-60} in *[!0-9]* | 0) usage 2 >&2 ;; esac
  prepare "$packages_fuzz" "$commands_fuzz" ""
  build build-fuzz fuzz -- -DLUVD_FUZZ=ON -DCMAKE_C_COMPILER=clang
  fuzz_all "${2:-60}"
  ;;
golden)
  prepare "$packages_test" "$commands_test" "$modules_test"
  build build
  export UPDATE_GOLDEN=1 LUVD_BUILD=build
  build/wrong_test >build/golden.log 2>&1 && build/plan_print_test >>build/golden.log 2>&1 && build/unit_test >>build/golden.log 2>&1 &&
    busted spec/plan >>build/golden.log 2>&1 && lua5.4 docs/make.lua >>build/golden.log 2>&1 ||
    { cat build/golden.log; exit 1; }
  say "done: git diff spec/plan docs lua shows what changed"
  ;;
-h | --help | help) usage 0 ;;
*) usage 2 >&2 ;;
esac
