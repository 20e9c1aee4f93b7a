#include "sandbox/syscall_filter.h"

#include <linux/sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <termios.h>

#include <cerrno>
#include <cstring>
#include <memory>

namespace tinyarms::sandbox {
namespace {

// Names that this architecture or libseccomp does not know are passed over: what is not known here
// cannot be called here either.
constexpr const char* kCommon[] = {
    // memory
    "brk", "mmap", "mmap2", "munmap", "mremap", "mprotect", "madvise", "mincore", "msync",
    "membarrier", "pkey_alloc", "pkey_free", "pkey_mprotect",
    // files and folders: the mounts say what is there, this says how it may be used
    "read", "write", "readv", "writev", "pread64", "pwrite64", "preadv", "pwritev", "preadv2",
    "pwritev2", "open", "openat", "creat", "close", "close_range", "lseek", "_llseek", "stat",
    "fstat", "lstat", "stat64", "fstat64", "lstat64", "newfstatat", "fstatat64", "statx", "access",
    "faccessat", "faccessat2", "readlink", "readlinkat", "getdents", "getdents64", "getcwd",
    "chdir", "fchdir", "mkdir", "mkdirat", "rmdir", "unlink", "unlinkat", "rename", "renameat",
    "renameat2", "link", "linkat", "symlink", "symlinkat", "chmod", "fchmod", "fchmodat",
    "truncate", "ftruncate", "truncate64", "ftruncate64", "fallocate", "fadvise64", "fsync",
    "fdatasync", "sync_file_range", "utimensat", "utime", "utimes", "futimesat", "umask", "dup",
    "dup2", "dup3", "fcntl", "fcntl64", "flock", "sendfile", "sendfile64", "copy_file_range",
    "splice", "tee", "statfs", "fstatfs", "statfs64", "fstatfs64", "readahead",
    // waiting
    "pipe", "pipe2", "poll", "ppoll", "select", "_newselect", "pselect6", "epoll_create",
    "epoll_create1", "epoll_ctl", "epoll_ctl_old", "epoll_wait", "epoll_pwait", "epoll_pwait2",
    "eventfd", "eventfd2", "nanosleep", "clock_nanosleep", "pause", "futex", "futex_waitv",
    "restart_syscall", "sched_yield", "timerfd_create", "timerfd_settime", "timerfd_gettime",
    // time and chance
    "time", "gettimeofday", "clock_gettime", "clock_getres", "times", "alarm", "setitimer",
    "getitimer", "timer_create", "timer_settime", "timer_gettime", "timer_getoverrun",
    "timer_delete", "getrandom",
    // the process about itself
    "getpid", "getppid", "gettid", "getpgid", "getpgrp", "getsid", "getuid", "geteuid", "getgid",
    "getegid", "getgroups", "getresuid", "getresgid", "getrlimit", "ugetrlimit", "getrusage",
    "getpriority", "sysinfo", "uname", "arch_prctl", "set_tid_address", "set_robust_list",
    "get_robust_list", "rseq", "sched_getaffinity", "sched_getparam", "sched_getscheduler",
    "sched_get_priority_max", "sched_get_priority_min", "getcpu", "capget", "exit", "exit_group",
    // its own signals
    "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "rt_sigpending", "rt_sigsuspend",
    "rt_sigtimedwait", "sigaltstack", "sigaction", "sigprocmask", "sigreturn",
};

constexpr const char* kProcesses[] = {
    "fork", "vfork", "execve", "wait4", "waitid", "waitpid", "kill", "tkill", "tgkill",
    "setpgid", "setsid", "sched_setaffinity", "sched_setscheduler", "setpriority", "signalfd",
    "signalfd4", "inotify_init", "inotify_init1", "inotify_add_watch", "inotify_rm_watch",
    "setrlimit",
};

constexpr uint64_t kNewNamespaces = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |
                                    CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWTIME;

constexpr uint64_t kLow = 0xFFFFFFFF;  // arguments of 32 bits: the kernel ignores the rest

// Those that cannot push characters into a terminal, program devices or touch networks.
constexpr uint64_t kIoctls[] = {TCGETS, FIONREAD, FIONBIO, FIOCLEX, FIONCLEX, TIOCGWINSZ,
                                TIOCGPGRP};
constexpr uint64_t kPrctls[] = {PR_SET_NAME, PR_GET_NAME, PR_GET_DUMPABLE, PR_CAPBSET_READ,
                                PR_SET_VMA, PR_GET_NO_NEW_PRIVS, PR_GET_SECCOMP,
                                PR_SET_NO_NEW_PRIVS};

class FilterWriter {
 public:
  explicit FilterWriter(FilterKind kind)
      : kind_(kind), context_(seccomp_init(SCMP_ACT_ERRNO(ENOSYS)), &seccomp_release) {}

  int write(int descriptor) {
    if (context_ == nullptr) return -ENOMEM;
    check(seccomp_attr_set(context_.get(), SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS));
    for (const char* name : kCommon) allow(name);
    if (kind_ == FilterKind::Toolchains) {
      for (const char* name : kProcesses) allow(name);
    }
    allow_some();
    if (failure_ == 0) check(seccomp_export_bpf(context_.get(), descriptor));
    return failure_;
  }

 private:
  void check(int code) {
    if (code < 0 && failure_ == 0) failure_ = code;
  }

  void allow(const char* name) {
    const int number = seccomp_syscall_resolve_name(name);
    if (number == __NR_SCMP_ERROR || number < 0) return;
    check(seccomp_rule_add(context_.get(), SCMP_ACT_ALLOW, number, 0));
  }

  // Where the argument's bits under the mask are these.
  struct Bits {
    unsigned argument;
    uint64_t mask;
    uint64_t value;
  };
  void allow_if(int number, const Bits& bits) {
    const scmp_arg_cmp condition{bits.argument, SCMP_CMP_MASKED_EQ, bits.mask, bits.value};
    check(seccomp_rule_add_array(context_.get(), SCMP_ACT_ALLOW, number, 1, &condition));
  }

  // Calls of which an argument decides.
  void allow_some() {
    // A thread is a clone that shares everything; without CLONE_THREAD it is a process. clone3
    // hides its flags in memory and stays forbidden: the C library then uses clone.
    const uint64_t thread = kind_ == FilterKind::Python ? CLONE_THREAD : 0;
    allow_if(SCMP_SYS(clone), {0, kNewNamespaces | thread, thread});
    for (const uint64_t request : kIoctls) {
      allow_if(SCMP_SYS(ioctl), {1, kLow, request});
    }
    for (const uint64_t option : kPrctls) {
      allow_if(SCMP_SYS(prctl), {0, kLow, option});
    }
    // Own limits only; and pairs that lead nowhere else (event loops wake themselves by one).
    allow_if(SCMP_SYS(prlimit64), {0, kLow, 0});
    allow_if(SCMP_SYS(socketpair), {0, kLow, AF_UNIX});
  }

  FilterKind kind_;
  std::unique_ptr<void, decltype(&seccomp_release)> context_;
  int failure_ = 0;
};

}  // namespace

Result<void> write_filter(FilterKind kind, int descriptor) {
  const int code = FilterWriter(kind).write(descriptor);
  if (code < 0) {
    return Error{ErrorCode::Unsupported,
                 std::string("the system-call filter cannot be made: ") + std::strerror(-code),
                 "libseccomp", "install libseccomp 2.5 or newer: apt install libseccomp-dev"};
  }
  return {};
}

}  // namespace tinyarms::sandbox
