#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Runs inside the lab's root: makes the disk of a Debian server, build/lab/debian.img, of the
# tree build/lab/debian. What Debian's installer would do in the new system at the end, it does
# in an emulated machine: GRUB, for BIOS and for UEFI, and its menu.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
tree=$LAB/debian
disk=$LAB/debian.img

step() { printf '%(%T)T %s\n' -1 "$*"; }

# in_tree COMMAND...
in_tree() { chroot "$tree" /usr/bin/env LC_ALL=C.UTF-8 "$@"; }

constant() { python3 -B -c "import sys; sys.path.insert(0, '$here'); import debdisk; print(debdisk.$1)"; }

configure() {
	local esp root
	root=$(constant ROOT_UUID)
	esp=$(constant ESP_ID)
	cat >"$tree/etc/fstab" <<-END
	UUID=$root / ext4 errors=remount-ro 0 1
	UUID=${esp:0:4}-${esp:4} /boot/efi vfat umask=0077 0 1
	END
	mkdir -p "$tree/boot/efi" "$tree/boot/grub"
	echo server >"$tree/etc/hostname"
	printf '127.0.0.1 localhost\n127.0.1.1 server\n' >"$tree/etc/hosts"
	cat >"$tree/etc/default/grub" <<-'END'
	GRUB_DEFAULT=0
	GRUB_TIMEOUT=2
	GRUB_DISTRIBUTOR="Debian"
	GRUB_CMDLINE_LINUX_DEFAULT=""
	GRUB_CMDLINE_LINUX="console=tty0 console=ttyS0,115200"
	GRUB_TERMINAL="console serial"
	GRUB_SERIAL_COMMAND="serial --unit=0 --speed=115200"
	END
	# An emulator unpacks slowly; compression that is no use on a disk of a day's life.
	mkdir -p "$tree/etc/initramfs-tools/conf.d"
	printf 'MODULES=dep\nCOMPRESS=zstd\nCOMPRESSLEVEL=1\n' >"$tree/etc/initramfs-tools/conf.d/lab"
	# Of the newer kernel the small flavour will do.
	find "$tree/var/cache/lab" -name 'linux-*-amd64_*.deb' ! -name '*-cloud-*' -delete
	in_tree passwd -q -d root
	# Timers wake up an emulated machine at the wrong moment.
	in_tree systemctl -q mask apt-daily.timer apt-daily-upgrade.timer fstrim.timer e2scrub_all.timer \
		e2scrub_reap.service man-db.timer logrotate.timer dpkg-db-backup.timer
}

# The agent as a service; and what is to be done in the machine, once.
add_lab() {
	mkdir -p "$tree/usr/lib/lab"
	gcc -O2 -Wall -Wextra -Werror -static -o "$tree/usr/lib/lab/agent" "$here/agent.c"
	cat >"$tree/etc/systemd/system/lab-agent.service" <<-'END'
	[Unit]
	Description=The lab's agent
	After=multi-user.target
	ConditionPathExists=/dev/virtio-ports/org.bedplate.lab
	[Service]
	Environment=HOME=/root LANG=C.UTF-8 TERM=linux
	WorkingDirectory=/root
	ExecStart=/usr/lib/lab/agent /dev/virtio-ports/org.bedplate.lab
	KillMode=mixed
	TimeoutStopSec=5
	[Install]
	WantedBy=default.target
	END
	in_tree systemctl -q enable lab-agent.service
	cat >"$tree/usr/lib/lab/finish" <<-'END'
	#!/bin/sh
	set -ex
	exec >/dev/console 2>&1
	grub-install --target=i386-pc /dev/vda
	grub-install --target=x86_64-efi --efi-directory=/boot/efi --removable --no-nvram
	update-grub
	echo lab: finished
	END
	chmod 755 "$tree/usr/lib/lab/finish"
}

initramfs() {
	local release
	release=$(basename "$tree"/lib/modules/*)
	mount -t proc proc "$tree/proc"
	# No root file system to look at yet: all modules, this once.
	in_tree sh -c "sed -i s/MODULES=dep/MODULES=most/ /etc/initramfs-tools/conf.d/lab &&
		update-initramfs -c -k $release &&
		sed -i s/MODULES=most/MODULES=dep/ /etc/initramfs-tools/conf.d/lab"
	umount "$tree/proc"
}

# Boots the disk without a boot loader, which does not exist yet.
finish() {
	local release log=$LAB/log.debian.serial
	release=$(basename "$tree"/lib/modules/*)
	timeout 900 qemu-system-x86_64 -nodefaults -no-user-config -display none -no-reboot \
		-machine q35 -accel tcg,thread=multi -cpu EPYC-v4,x2apic=on -smp 2 -m 2G \
		-drive "if=none,id=d,format=raw,file=$disk.new,cache=unsafe" -device virtio-blk-pci,drive=d \
		-serial "file:$log" -kernel "$tree/boot/vmlinuz-$release" -initrd "$tree/boot/initrd.img-$release" \
		-append "root=UUID=$(constant ROOT_UUID) console=ttyS0 panic=-1 systemd.run=/usr/lib/lab/finish \
			systemd.run_success_action=poweroff systemd.run_failure_action=poweroff" 2>&1
	grep -aq '^lab: finished' "$log"
}

step "configuration"
configure
add_lab
step "initramfs"
initramfs
step "disk"
python3 -B "$here/debdisk.py" "$tree" "$disk.new"
step "GRUB"
finish
mv "$disk.new" "$disk"
step "done"
