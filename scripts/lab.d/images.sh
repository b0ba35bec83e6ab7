#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Runs inside the lab's root: makes the boot loader's image, the service VM's
# initramfs and root image, and the guest's assets. All results go to $LAB.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
release=$(cat "$LAB/release")
modules=/lib/modules/$release
work=$LAB/images.work
rm -rf "$work"
mkdir -p "$work"

step() { printf '%(%T)T %s\n' -1 "$*"; }

# The modules that MODULE... need, in the order to load them, as file names.
module_files() {
	local name
	for name; do
		modprobe -S "$release" --show-depends "$name" | sed -n 's/^insmod //p'
	done | awk '!seen[$1]++ { print $1 }'
}

# initramfs TREE MODULE...: puts into TREE a busybox and the modules, unpacked,
# with /modules listing them in load order.
initramfs_tree() {
	local tree=$1 file name
	shift
	mkdir -p "$tree"/{bin,dev,proc,sys,m}
	cp /usr/bin/busybox "$tree/bin/busybox"
	ln -s busybox "$tree/bin/sh"
	while read -r file; do
		name=$(basename "$file" .ko.xz)
		xz -dc "$file" >"$tree/m/$name.ko"
		echo "$name" >>"$tree/modules"
	done < <(module_files "$@")
}

pack_initramfs() {
	(cd "$1" && find . -mindepth 1 -printf '%P\n' | sort |
		cpio -o -H newc -R 0:0 --quiet) >"$2.new"
	mv "$2.new" "$2"
}

boot_loader() {
	step "GRUB for BIOS"
	grub-mkimage -O i386-pc -p '(hd0,msdos1)/boot/grub' -o "$LAB/grub.core" \
		biosdisk part_msdos tar ext2 normal configfile multiboot2 linux linux16 \
		serial terminal echo halt reboot boot test
	cp /usr/lib/grub/i386-pc/boot.img "$LAB/grub.mbr"
	step "GRUB for UEFI"
	# Where it was loaded from is where its files are.
	grub-mkimage -O x86_64-efi -p /boot/grub -o "$LAB/grub.efi" \
		part_msdos part_gpt fat normal configfile multiboot2 linux efi_gop efi_uga all_video \
		serial terminal echo halt reboot boot test
}

# Modules without type information and signature: their checks cost Bochs seven
# seconds a boot. The kernel notes the missing signature, and loads them.
lean() {
	find "$1" -name '*.ko' -exec objcopy --strip-debug -R .BTF {} ';'
}

# svc_initramfs NAME DRIVER...: the drivers are those of the machine's disks.
svc_initramfs() {
	step "service VM's initramfs $1"
	local tree=$work/$1
	initramfs_tree "$tree" "${@:2}" erofs overlay
	[ "$1" != initrd.ata ] || lean "$tree"
	install -m 755 "$here/svc/initramfs-init" "$tree/init"
	pack_initramfs "$tree" "$LAB/$1"
}

guest_tree() {
	local disk=$1 name
	mkdir -p "$disk"/{bin,boot/grub,dev,proc,sys,tmp}
	cp /usr/bin/busybox "$disk/bin/busybox"
	while read -r name; do
		[ "$name" = busybox ] || ln -s busybox "$disk/bin/$name"
	done < <(busybox --list)
	install -m 755 "$here/guest/work" "$disk/init"
	cp "$here/guest/grub.cfg" "$disk/boot/grub/grub.cfg"
	cp "$LAB/vmlinuz" "$work/guest/initrd" "$disk/boot/"
}

# A disk that UEFI boots with Secure Boot: by Debian's shim and GRUB, which the keys in OVMF's
# variables (OVMF_VARS_4M.ms.fd) and in shim vouch for, as they do for the kernel.
secure_disk() {
	local disk=$1
	truncate -s 48M "$disk"
	mkfs.vfat -n SECURE "$disk" >/dev/null
	mmd -i "$disk" ::/EFI ::/EFI/BOOT ::/EFI/debian
	mcopy -i "$disk" /usr/lib/shim/shimx64.efi.signed ::/EFI/BOOT/BOOTX64.EFI
	mcopy -i "$disk" /usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed ::/EFI/BOOT/grubx64.efi
	mcopy -i "$disk" "$here/guest/secure.cfg" ::/EFI/debian/grub.cfg
	mcopy -i "$disk" "$LAB/vmlinuz" "$work/guest/initrd" ::/
}

# guest_initramfs NAME DRIVER...
guest_initramfs() {
	local tree=$work/guest-$1
	initramfs_tree "$tree" virtio_blk virtio_net virtio_mmio ext4 "${@:2}"
	mkdir -p "$tree/root"
	install -m 755 "$here/guest/initramfs-init" "$tree/init"
	install -m 755 "$here/guest/work" "$tree/work"
	pack_initramfs "$tree" "$work/guest/$1"
}

# /guest of the service VM: a kernel, an initramfs, a disk that the BIOS boots; and an
# initramfs with the drivers of devices that are given to the guest.
guest_assets() {
	step "guest's initramfs and disk"
	mkdir -p "$work/guest"
	guest_initramfs initrd
	guest_initramfs initrd.devices nvme e1000e igbvf
	guest_tree "$work/guest-disk"
	# No journal and no checksums: GRUB reads it, and it mounts at once.
	mke2fs -q -t ext4 -O '^has_journal,^metadata_csum,^64bit,^orphan_file' \
		-d "$work/guest-disk" "$work/guest-part" 40M
	python3 -B "$here/runner/bootdisk.py" "$LAB/grub.mbr" "$LAB/grub.core" \
		"$work/guest-part" "$work/guest/disk.img"
	secure_disk "$work/guest/secure.img"
	cp "$LAB/vmlinuz" "$work/guest/vmlinuz"
	install -m 755 "$here/guest/run" "$work/guest/run"
}

# Stand-ins for our modules: depmod then knows their place, and each run lays the real
# ones over them, so a rebuilt module needs no new image.
placeholder_modules() {
	local dir=$work/placeholder name
	mkdir -p "$dir" "$1"
	for name in bedplate bedplate_iommu; do
		cat >"$dir/$name.c" <<-END
		#include <linux/module.h>
		static int __init placeholder_init(void)
		{
			pr_err("$name.ko was not built: run make\n");
			return -ENOENT;
		}
		module_init(placeholder_init);
		MODULE_LICENSE("GPL");
		MODULE_DESCRIPTION("stands where the lab lays $name.ko");
		END
	done
	echo 'obj-m := bedplate.o bedplate_iommu.o' >"$dir/Kbuild"
	make -s -C "$modules/build" M="$dir" modules
	cp "$dir"/bedplate.ko "$dir"/bedplate_iommu.ko "$1/"
}

svc_modules() {
	local tree=$1/usr$modules dir file
	mkdir -p "$tree"
	cp "$modules"/modules.{builtin,builtin.modinfo,order} "$tree/"
	for dir in arch block crypto fs lib mm net virt \
		drivers/{acpi,ata,base,block,bus,char,cpufreq,crypto,dca,dma,firmware,hwmon,i2c} \
		drivers/{iommu,md,misc,net/ethernet,nvme,pci,platform,pps,ptp,scsi,thermal,tty} \
		drivers/{usb/host,vfio,vhost,virt,virtio,watchdog}; do
		[ -d "$modules/kernel/$dir" ] || continue
		mkdir -p "$tree/kernel/$dir"
		cp -r "$modules/kernel/$dir/." "$tree/kernel/$dir/"
	done
	cp "$modules"/kernel/drivers/net/*.ko.xz "$tree/kernel/drivers/net/"
	# What a run is likely to load comes unpacked: xz is slow in an emulator.
	while read -r file; do
		file=$tree${file#"$modules"}
		[ -e "$file" ] && xz -d "$file"
	done < <(module_files kvm_amd kvm_intel tun vhost_net vhost_vsock bridge virtio_net \
		vfio_pci vfio_iommu_type1 nvme igb)
	placeholder_modules "$tree/extra"
	depmod -b "$1" "$release"
}

svc_image() {
	step "service VM's root image"
	local tree=$work/svc
	cp -al "$LAB/svc" "$tree"
	rm -rf "$tree"/var/cache/apt/* "$tree"/var/lib/apt/lists/* "$tree"/usr/share/zoneinfo
	svc_modules "$tree"
	mkdir -p "$tree/usr/lib/lab"
	gcc -O2 -Wall -Wextra -Werror -static -o "$tree/usr/lib/lab/agent" "$here/agent.c"
	install -m 755 "$here/svc/init" "$tree/usr/lib/lab/init"
	cp -a "$work/guest" "$tree/guest"
	rm -f "$tree/etc/hostname"
	echo svc >"$tree/etc/hostname"
	rm -f "$LAB/svc.erofs.new"
	mkfs.erofs --quiet -E noinline_data "$LAB/svc.erofs.new" "$tree"
	mv "$LAB/svc.erofs.new" "$LAB/svc.erofs"
}

boot_loader
svc_initramfs initrd virtio_blk
svc_initramfs initrd.ata ata_piix sd_mod
guest_assets
svc_image
rm -rf "$work"
step "done"
