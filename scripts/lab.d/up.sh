# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# "lab up": the steps, each with a stamp that holds a hash of what went into it.
# Sourced by scripts/lab (LAB_TREE, LAB_D, LAB, LAB_ROOT, say and fail are its).
# A step's result is put in place by a rename, so an interrupted run does no harm.

LAB_SUITE=trixie
declare -A LAB_WHAT=(
	[root]="Debian $LAB_SUITE root: emulators, compiler, kernel headers"
	[svc]="service VM's Debian $LAB_SUITE root"
	[images]="images: service VM, guest, boot loader"
	[lint]="Debian $LAB_SUITE root: checkers"
	[prove]="Debian $LAB_SUITE root: model checkers, fuzzer"
	[selftests]="KVM's own tests, from the kernel's source"
	[libvirt]="Debian $LAB_SUITE root: libvirt"
	[debian]="a disk with a Debian $LAB_SUITE server"
	[packaging]="Debian $LAB_SUITE root: what makes Debian packages, headers of backports"
	[vmms]="VMMs that Debian does not carry, from the npm registry"
)
LAB_HOST_PACKAGES="mmdebstrap:mmdebstrap unshare:util-linux flock:util-linux"

# Host packages by name, installed where this is Debian, asked for elsewhere.
host_packages() {
	local pair missing=""
	for pair in $LAB_HOST_PACKAGES; do
		command -v "${pair%%:*}" >/dev/null || missing+=" ${pair##*:}"
	done
	command -v apt-get >/dev/null ||
		fail "needs apt-get, for mmdebstrap: use a Debian 12 or 13 host"
	[ -e /usr/share/keyrings/debian-archive-keyring.gpg ] ||
		missing+=" debian-archive-keyring"
	[ -n "$missing" ] || return 0
	. /etc/os-release
	[ "${ID:-}" = debian ] || fail "not a Debian host: please install:$missing"
	say "installing on the host:$missing"
	# shellcheck disable=SC2086
	apt-get install -y --no-install-recommends $missing >&2 || {
		apt-get update >&2
		apt-get install -y --no-install-recommends $missing >&2
	}
}

# The archive that the host's own apt uses, whatever form its sources have.
host_mirror() {
	local format
	# shellcheck disable=SC2016
	format='$(REPO_URI) $(LABEL) $(COMPONENT)'
	find_it() {
		apt-get indextargets --format "$format" 'Created-By: Packages' |
			awk '$2 == "Debian" && $3 == "main" { print $1; exit }'
	}
	local uri=${LAB_MIRROR:-}
	[ -n "$uri" ] || uri=$(find_it)
	[ -n "$uri" ] || { apt-get update >&2; uri=$(find_it); }
	[ -n "$uri" ] || fail "apt's sources name no Debian archive; give one in LAB_MIRROR"
	echo "$uri"
}

# The host's proxy and transport settings, as options for the root's apt.
host_apt_options() {
	apt-config dump | grep -E \
		'^Acquire::((http|https|ftp)::[^ ]*|Check-Valid-Until|Check-Date|Retries) "' |
		while IFS= read -r line; do
			printf '%s\n' "--aptopt=$line"
		done
}

package_list() {
	grep -v '^#' "$1" | paste -sd,
}

# debian_root NAME VARIANT [ARG...]: makes the Debian root build/lab/NAME; the arguments
# are mmdebstrap's.
debian_root() {
	local name=$1 variant=$2 uri
	local -a options
	shift 2
	uri=$(host_mirror)
	mapfile -t options < <(host_apt_options)
	rm -rf "$LAB/$name.new"
	INITRD=No mmdebstrap --mode=root --variant="$variant" \
		--include="$(package_list "$LAB_D/$name.packages")" \
		--aptopt='Apt::Install-Recommends "false"' "${options[@]}" \
		--dpkgopt='path-exclude=/usr/share/doc/*' \
		--dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' "$@" \
		"$LAB_SUITE" "$LAB/$name.new" "$uri" >"$LAB/log.$name" 2>&1 ||
		{ tail -n 20 "$LAB/log.$name" >&2; fail "mmdebstrap failed: $LAB/log.$name"; }
	# shellcheck disable=SC2016
	dpkg-query --admindir="$LAB/$name.new/var/lib/dpkg" -W \
		-f '${Package} ${Version}\n' >"$LAB/$name.new/.manifest"
	rm -rf "$LAB/$name.old"
	[ ! -e "$LAB/$name" ] || mv "$LAB/$name" "$LAB/$name.old"
	mv "$LAB/$name.new" "$LAB/$name"
	rm -rf "$LAB/$name.old"
}

step_root() {
	debian_root root apt
	touch "$LAB_ROOT/.bedplate-lab"
	local release
	release=$(basename "$LAB_ROOT"/lib/modules/*)
	echo "$release" >"$LAB/release"
	cp "$LAB_ROOT/boot/vmlinuz-$release" "$LAB/vmlinuz"
	cp "$LAB_ROOT/.manifest" "$LAB/manifest"
	say "took $("$LAB_TREE/scripts/lab" versions | tr '\n' ',' | sed 's/,$//; s/,/, /g')"
	"$LAB_TREE/scripts/lab" versions --differ "$LAB_TREE/tests/passed-with" >&2
}

step_svc() {
	debian_root svc minbase
}

# The root of the checkers; only make lint wants it.
step_lint() {
	debian_root lint apt
	touch "$LAB/lint/.bedplate-lab"
	# Of the kernel's sources it wants checkpatch only.
	mkdir -p "$LAB/lint/usr/local/lib/kernel"
	tar -C "$LAB/lint/usr/local/lib/kernel" --strip-components=2 --wildcards \
		-xf "$LAB"/lint/usr/src/linux-source-*.tar.xz '*/scripts/checkpatch.pl' \
		'*/scripts/spelling.txt' '*/scripts/const_structs.checkpatch'
	rm -f "$LAB"/lint/usr/src/linux-source-*
}

# The root of the model checkers and the fuzzer; make prove and make fuzz want it.
step_prove() {
	debian_root prove apt
	touch "$LAB/prove/.bedplate-lab"
}

# with_backports PACKAGE...: sets backports to the arguments by which mmdebstrap adds the
# archive of backports, and at the end these packages from there.
with_backports() {
	backports=(--setup-hook="echo 'deb $(host_mirror) $LAB_SUITE-backports main' >\"\$1/etc/apt/sources.list.d/backports.list\""
		--customize-hook="chroot \"\$1\" apt-get -y -t $LAB_SUITE-backports install --no-install-recommends $*")
}

step_packaging() {
	local -a backports
	with_backports linux-headers-cloud-amd64
	debian_root packaging apt "${backports[@]}"
	touch "$LAB/packaging/.bedplate-lab"
}

# The disk on which the install test installs the packages; of the tree only the disk stays.
step_debian() {
	local -a backports
	# A newer kernel, for the test to install.
	with_backports --download-only -o Dir::Cache::Archives=/var/cache/lab \
		linux-image-cloud-amd64 linux-headers-cloud-amd64
	# shellcheck disable=SC2016	# the hook's shell expands it
	debian_root debian minbase --essential-hook='mkdir -p "$1/var/cache/lab/partial"' "${backports[@]}"
	"$LAB_TREE/scripts/lab" exec -- bash "$LAB_D/debian.sh" >>"$LAB/log.debian" 2>&1 ||
		{ tail -n 20 "$LAB/log.debian" >&2; fail "making the Debian disk failed: $LAB/log.debian"; }
	rm -rf "$LAB/debian"
}

# KVM's own tests, built in a root of their own; only its image stays.
step_selftests() {
	debian_root selftests apt
	touch "$LAB/selftests/.bedplate-lab"
	"$LAB_TREE/scripts/lab" exec --in selftests -- bash "$LAB_D/selftests.sh" >>"$LAB/log.selftests" 2>&1 ||
		{ tail -n 20 "$LAB/log.selftests" >&2; fail "building KVM's tests failed: $LAB/log.selftests"; }
	rm -rf "$LAB/selftests"
}

# The same for VMMs from elsewhere.
step_vmms() {
	debian_root vmms apt
	touch "$LAB/vmms/.bedplate-lab"
	"$LAB_TREE/scripts/lab" exec --in vmms -- bash "$LAB_D/vmms.sh" >>"$LAB/log.vmms" 2>&1 ||
		{ tail -n 20 "$LAB/log.vmms" >&2; fail "fetching VMMs failed: $LAB/log.vmms"; }
	rm -rf "$LAB/vmms"
}

# libvirt and its QEMU as an image for the service VM, which changes its root to it.
step_libvirt() {
	debian_root libvirt minbase
	rm -rf "$LAB"/libvirt/{boot,var/cache/apt,var/lib/apt/lists}/*
	"$LAB_TREE/scripts/lab" exec -- mkfs.erofs --quiet "$LAB/libvirt.erofs.new" "$LAB/libvirt" \
		>>"$LAB/log.libvirt" 2>&1 || fail "making the image failed: $LAB/log.libvirt"
	mv "$LAB/libvirt.erofs.new" "$LAB/libvirt.erofs"
	rm -rf "$LAB/libvirt"
}

# The rest is made by scripts that run inside the root.
step_images() {
	"$LAB_TREE/scripts/lab" exec -- bash "$LAB_D/images.sh" >"$LAB/log.images" 2>&1 ||
		{ tail -n 20 "$LAB/log.images" >&2; fail "making the images failed: $LAB/log.images"; }
}

hash_of() { sha256sum | cut -c1-32; }

# What each step depends on. A step's hash takes in those of the steps before.
inputs_root() { cat "$LAB_D/root.packages"; echo "$LAB_SUITE"; }
inputs_svc() { cat "$LAB_D/svc.packages"; echo "$LAB_SUITE"; }
inputs_lint() { cat "$LAB_D/lint.packages"; echo "$LAB_SUITE"; declare -f step_lint; }
inputs_prove() { cat "$LAB_D/prove.packages"; echo "$LAB_SUITE"; declare -f step_prove; }
inputs_packaging() { cat "$LAB_D/packaging.packages"; echo "$LAB_SUITE"; declare -f step_packaging; }
inputs_debian() {
	cat "$LAB_D/debian.packages" "$LAB_D/debian.sh" "$LAB_D/debdisk.py" "$LAB_D/agent.c"
	echo "$LAB_SUITE"
	declare -f step_debian
}
inputs_selftests() { cat "$LAB_D/selftests.packages" "$LAB_D/selftests.sh"; echo "$LAB_SUITE"; }
inputs_vmms() { cat "$LAB_D/vmms.packages" "$LAB_D/vmms.list" "$LAB_D/vmms.sh"; echo "$LAB_SUITE"; }
inputs_libvirt() { cat "$LAB_D/libvirt.packages"; echo "$LAB_SUITE"; declare -f step_libvirt; }
inputs_images() {
	(cd "$LAB_D" && find images.sh agent.c svc guest runner/bootdisk.py -type f -print0 | sort -z |
		xargs -0 sha256sum)
	inputs_root
	inputs_svc
}

fresh() {
	[ "$(cat "$LAB/stamp.$1" 2>/dev/null)" = "$("inputs_$1" | hash_of)" ]
}

run_step() {
	local name=$1 what=$2 begin=$SECONDS
	if fresh "$name"; then
		return
	fi
	say "$what ..."
	rm -f "$LAB/stamp.$name"
	"step_$name"
	"inputs_$name" | hash_of >"$LAB/stamp.$name"
	say "$what: done in $((SECONDS - begin)) s"
}

lab_up() {
	local steps step stale=""
	case "${1:-}" in
	--only-root) steps="root" ;;
	--lint) steps="lint" ;;
	--prove) steps="prove" ;;
	--selftests) steps="selftests" ;;
	--packaging) steps="packaging" ;;
	--debian) steps="debian" ;;
	--vmms) steps="vmms" ;;
	--libvirt) steps="libvirt" ;;
	"") steps="root svc images" ;;
	*) fail "up: unknown option '$1' (only --only-root, --debian, --libvirt, --lint, --packaging, --prove, --selftests, --vmms)" ;;
	esac
	! inside || return 0
	for step in $steps; do fresh "$step" || stale=1; done
	[ -n "$stale" ] || return 0
	need_root
	[ "$(uname -m)" = x86_64 ] || fail "needs an x86-64 host"
	host_packages
	mkdir -p "$LAB"
	exec 9>"$LAB/lock"
	flock -n 9 || { say "waiting for another lab up"; flock 9; }
	for step in $steps; do run_step "$step" "${LAB_WHAT[$step]}"; done
}
