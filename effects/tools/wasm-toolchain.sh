#!/bin/sh
# Makes a Rust compiler for wasm32-unknown-unknown from Debian's packages, in a folder of its own. Needs
# no root and installs nothing: for machines where `rustup target add` cannot reach its servers.
#
#   wasm-toolchain.sh DIR      about 140 MB of downloads, 500 MB on disk, a minute
#   . DIR/env.sh               then `cargo build` builds for wasm
#   WAVEMILL_WASM_TOOLCHAIN=DIR cargo xtask effects
#
# Needs apt-get, dpkg, cargo, and a linker: rustup's own rust-lld, or wasm-ld of Debian's package lld.
set -eu

if [ $# -ne 1 ]; then
    echo "usage: wasm-toolchain.sh DIR" >&2
    exit 2
fi
mkdir -p "$1"
folder=$(cd "$1" && pwd)
if [ -e "$folder/env.sh" ]; then
    echo "error: $folder/env.sh is there already; give a new folder" >&2
    exit 1
fi

fail() {
    echo "error: $1" >&2
    exit 1
}

for program in apt-get apt-cache dpkg cargo; do
    command -v "$program" >/dev/null || fail "$program is missing"
done

# Debian ships one compiler for web targets, and moves it to new versions: its parts are found by what it
# depends on.
depends() {
    apt-cache depends "$1" | sed -n "s/.*Depends: \($2\)\$/\1/p" | head -n 1
}
library=$(depends libstd-rust-web-dev 'libstd-rust-web-[0-9.]*')
[ -n "$library" ] || fail "this Debian has no package rustc-web (12 has it in bookworm-security); try apt-get update"
llvm=$(depends "$library" 'libllvm[0-9]*')
[ -n "$llvm" ] || fail "$library names no LLVM"

# The linker is looked for before anything is downloaded.
linker=
if command -v rustc >/dev/null; then
    host=$(rustc -vV | sed -n 's/^host: //p')
    linker=$(rustc --print sysroot)/lib/rustlib/$host/bin/rust-lld
fi
if [ ! -x "$linker" ]; then
    linker=$(command -v wasm-ld || true)
    [ -n "$linker" ] || fail "neither rustup's rust-lld nor wasm-ld is there (apt-get install lld)"
fi

echo "downloading rustc-web, rust-web-src, libstd-rust-web-dev, $library, $llvm"
mkdir -p "$folder/packages"
(cd "$folder/packages" &&
    apt-get -qq -o APT::Sandbox::User=root download rustc-web rust-web-src libstd-rust-web-dev "$library" "$llvm")
for package in "$folder"/packages/*.deb; do
    dpkg --extract "$package" "$folder"
done
rm -r "$folder/packages"

sysroot=$folder/usr
libraries=$(dirname "$(find "$sysroot/lib" -name 'librustc_driver*.so' | head -n 1)")
cat >"$folder/env.sh" <<END
# Makes cargo build for wasm32-unknown-unknown with the compiler beside this file.
export RUSTC='$sysroot/bin/rustc'
export LD_LIBRARY_PATH='$libraries'"\${LD_LIBRARY_PATH:+:\$LD_LIBRARY_PATH}"
export CARGO_BUILD_TARGET=wasm32-unknown-unknown
export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER='$linker'
END

# The package has no libraries for wasm: compile them once, from its sources, and put them where the
# compiler looks. As in rustup's, there is bitcode in them, without which effects with `lto` could not use
# them, and machine code besides: with bitcode alone the linker would compile, and write what its version does.
echo "compiling the standard library for wasm"
bake=$folder/bake
mkdir -p "$bake/src"
cat >"$bake/Cargo.toml" <<END
[package]
name = "bake"
version = "0.0.0"
edition = "2021"
[profile.release]
panic = "abort"
[workspace]
END
: >"$bake/src/lib.rs"

# Panics name their places; none may tell where a machine has this folder, or cargo's own. The sources are
# reached by a link, and the compiler writes down either path.
flags() {
    printf -- '-Cembed-bitcode=yes'
    while [ $# -gt 0 ]; do
        printf '\037--remap-path-prefix=%s=%s' "$1" "$2"
        shift 2
    done
}
sources=$sysroot/lib/rustlib/src/rust
real_sources=$(cd "$sources" && pwd -P)
(
    . "$folder/env.sh"
    cd "$bake"
    export RUSTC_BOOTSTRAP=1 CARGO_TARGET_DIR="$bake/target"
    cargo fetch --quiet -Z build-std=std,panic_abort
    set -- "$folder" toolchain "$real_sources" rust "$sources" rust
    for registry in "${CARGO_HOME:-$HOME/.cargo}"/registry/src/*; do
        set -- "$@" "$registry" registry
    done
    # The last of several that fit holds.
    CARGO_ENCODED_RUSTFLAGS=$(flags "$@") cargo build --quiet --release -Z build-std=std,panic_abort
)
target=$sysroot/lib/rustlib/wasm32-unknown-unknown/lib
mkdir -p "$target"
rm "$bake"/target/wasm32-unknown-unknown/release/deps/libbake-*.rlib
cp "$bake"/target/wasm32-unknown-unknown/release/deps/*.rlib "$target/"
rm -rf "$bake" "$sysroot/src" "$sysroot/share"
# The sources' place is a link into usr/src.
rm -rf "$sysroot/lib/rustlib/src"

echo "ready: . $folder/env.sh"
