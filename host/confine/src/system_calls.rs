//! The filter of system calls.

use std::collections::BTreeMap;

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule,
};

use crate::ConfineError;
use crate::policy::Network;

/// What no plugin needs, and what would be a way out: the kernel itself, other processes' keys and
/// memory, and files by number.
const REFUSED: [libc::c_long; 24] = [
    libc::SYS_reboot,
    libc::SYS_kexec_load,
    libc::SYS_kexec_file_load,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_acct,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_clock_adjtime,
    libc::SYS_adjtimex,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_keyctl,
    libc::SYS_userfaultfd,
    libc::SYS_open_by_handle_at,
    libc::SYS_quotactl,
    libc::SYS_process_vm_writev,
    libc::SYS_process_vm_readv,
    libc::SYS_syslog,
];

/// What puts input into a terminal, as if somebody had typed it.
const TYPED: [u64; 2] = [libc::TIOCSTI, libc::TIOCLINUX];

fn ioctl(request: u64) -> Result<SeccompRule, seccompiler::BackendError> {
    let same = SeccompCondition::new(1, SeccompCmpArgLen::Dword, SeccompCmpOp::Eq, request)?;
    SeccompRule::new(vec![same])
}

pub(crate) fn restrict(network: Network) -> Result<(), ConfineError> {
    let program = program(network).map_err(|error| ConfineError::SystemCalls(error.to_string()))?;
    rustix::thread::set_no_new_privs(true)?;
    seccompiler::apply_filter(&program)
        .map_err(|error| ConfineError::SystemCalls(error.to_string()))
}

fn program(network: Network) -> Result<BpfProgram, seccompiler::BackendError> {
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> =
        REFUSED.iter().map(|&call| (call, Vec::new())).collect();
    if network == Network::UnixSockets {
        let family = u64::from(libc::AF_UNIX.unsigned_abs());
        let other = SeccompCondition::new(0, SeccompCmpArgLen::Dword, SeccompCmpOp::Ne, family)?;
        rules.insert(libc::SYS_socket, vec![SeccompRule::new(vec![other])?]);
        // Sockets can be made by a ring as well, past this filter.
        rules.insert(libc::SYS_io_uring_setup, Vec::new());
    }
    let typed: Result<Vec<_>, _> = TYPED.iter().map(|&request| ioctl(request)).collect();
    rules.insert(libc::SYS_ioctl, typed?);
    let refused = SeccompAction::Errno(libc::EPERM.unsigned_abs());
    let architecture = std::env::consts::ARCH.try_into()?;
    SeccompFilter::new(rules, SeccompAction::Allow, refused, architecture)?.try_into()
}
