# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# AMD's SVM as Bochs has it: with next-RIP, flush-by-ASID and the pause filter,
# which TCG lacks. Left out are guests that spin with IF clear and never exit,
# an intercepted #DB that has to tell DR6, single steps of what exits, virtual-8086 mode, and a CR2
# that an entry has to load:
# docs/testbed.md has the causes.

reports svm_bochs.vmm scripts/lab run --machine svm-bochs --smp 1 --overlay "$overlay" -- /opt/tests/bp-vmm run all \
	'!apf.late_token' '!apf.several' '!apf.told' '!cpu.step_exits' '!debug.hardware' '!debug.single_step' '!debug.hand_back' '!debug.step_taken_out' '!lapic.debugger_blocks_x*' '!log.seen_*' '!log.no_write_lost_*' '!mem.delete_running' '!memfd.*_running' '!run.kick_race' '!run.signal' '!run.signal_mask' '!sched.timer_ticks' '!state.breakpoints' \
	'!state.exception_payload' '!svm.exits' '!svm.faults' '!svm.late_step' '!svm.shared' '!svm.step*' '!task.trap_flag' '!task.v8086'
thorough reports svm_bochs.log scripts/lab run --machine svm-bochs --smp 1 --overlay "$overlay" -- /opt/tests/bp-vmm run 'log.no_write_lost_*'
shows svm_bochs.guest 0 output "guest: done 0" scripts/lab run --machine svm-bochs --smp 1 -- \
	/guest/run --timeout 850 --machine pc --boot kernel --smp 1 --kernel-args cryptomgr.notests
