import { AMD_FILES, AMD_HWMON_FILES } from './amd-card.js';
import { COMMON_FIELDS, FULL_FIELDS, MINIMAL_FIELDS } from './nvidia-rows.js';

/**
 * Begins each line of its own; what `grep` prints has the path of the file before it, and everything else is a greeting of the shell.
 */
export const MARK = '@lmapp';

/** Lines of the files of /proc that are read; the others are long and of no use here. */
const WANTED =
  '^(cpu|Mem|Swap|Buffers|Cached|Shmem:|SReclaimable|some|full|oom_kill |size |c_min )|^[0-9.]+ [0-9.]+|^ *[A-Za-z0-9_.@-]+: *[0-9]+ +[0-9]+ ';
const PROC_FILES = [
  'stat',
  'meminfo',
  'loadavg',
  'uptime',
  'vmstat',
  'net/dev',
  'pressure/cpu',
  'pressure/memory',
  'pressure/io',
  'spl/kstat/zfs/arcstats',
].map((file) => `/proc/${file}`);

const DISKS_EVERY_TICKS = 15;

/**
 * A loop for the POSIX shell of a machine elsewhere, given to `sh -s`: prints its readings each `seconds` until nobody reads any more.
 * Nothing is written or installed there. It leaves only the shell's own prints, one `grep` and one `sleep` per tick, and nvidia-smi in
 * its own loop, which runs only where it is installed and no card sleeps.
 */
export function remoteScript(seconds: number): string {
  return `
LC_ALL=C; export LC_ALL
PATH="$PATH:/usr/sbin:/sbin:/usr/lib/wsl/lib:/opt/homebrew/bin:/usr/local/bin"; export PATH
say() { printf '%s\\n' "$1" 2>/dev/null || leave; }
leave() { [ -z "$kid" ] || kill "$kid" 2>/dev/null; exit 0; }
kid=
trap leave HUP INT TERM PIPE

word() { read -r it 2>/dev/null <"$1" || it=; }

# True when there are NVIDIA cards and all of them are switched off: a question would wake them.
nvidia_sleeps() {
  asleep=1
  for dev in /sys/bus/pci/devices/*; do
    word "$dev/vendor"; [ "$it" = 0x10de ] || continue
    word "$dev/class"; case $it in 0x03*) ;; *) continue;; esac
    word "$dev/power/runtime_status"
    [ "$it" = suspended ] || return 1
    asleep=0
  done
  return $asleep
}

nvidia() {
  while :; do
    if nvidia_sleeps; then
      printf '${MARK} nvidia-asleep\\n' || exit 0
    else
      for fields in ${[FULL_FIELDS, COMMON_FIELDS, MINIMAL_FIELDS].join(' ')}; do
        nvidia-smi --query-gpu=$fields --format=csv,noheader,nounits -l ${seconds} 2>&1 </dev/null |
          while IFS= read -r row; do printf '${MARK} nvidia %s\\n' "$row" || exit 0; done
        printf '${MARK} nvidia-end\\n' || exit 0
      done
    fi
    sleep 30 </dev/null
  done
}

amd() {
  for card in $amds; do
    word "$card/power/runtime_status"
    if [ "$it" = suspended ]; then say "${MARK} amd-asleep $card"; continue; fi
    text=$(cd "$card" && grep -H '' ${AMD_FILES.join(' ')} ${AMD_HWMON_FILES.map((file) => `hwmon/*/${file}`).join(' ')} 2>/dev/null)
    say "${MARK} amd $card"
    say "$text"
  done
}

linux() {
  text=$(grep -HE '${WANTED}' ${PROC_FILES.join(' ')} 2>/dev/null)
  say "$text"
  amd
}

mac() {
  text=$(sysctl vm.loadavg hw.memsize vm.swapusage iogpu.wired_limit_mb 2>/dev/null; vm_stat 2>/dev/null)
  say "$text"
  say "$(ioreg -r -c IOGPU -d 1 -f 2>/dev/null | grep -E '"model"|PerformanceStatistics')"
}

main() {
  say "${MARK} hello"
  say "${MARK} system $(uname -s) $(uname -r)"
  say "${MARK} machine $(uname -m)"
  if [ -r /proc/stat ]; then
    look=linux
    say "${MARK} os $(grep '^PRETTY_NAME=' /etc/os-release 2>/dev/null)"
    say "${MARK} processor $(grep -m1 '^model name' /proc/cpuinfo 2>/dev/null)"
    amds=
    for dev in /sys/class/drm/card[0-9] /sys/class/drm/card[0-9][0-9]; do
      word "$dev/device/vendor"; [ "$it" != 0x1002 ] || amds="$amds $(cd "$dev/device" && pwd -P)"
    done
    if command -v nvidia-smi >/dev/null 2>&1; then nvidia & kid=$!; fi
  else
    look=mac
    say "${MARK} os $(sw_vers -productName 2>/dev/null) $(sw_vers -productVersion 2>/dev/null)"
    say "${MARK} processor $(sysctl -n machdep.cpu.brand_string 2>/dev/null)"
  fi
  left=0
  while :; do
    $look
    if [ $left -le 0 ]; then
      left=${DISKS_EVERY_TICKS}
      say "$(df -Pk / "$HOME" 2>/dev/null | while read -r a b c d e f; do printf '${MARK} disk %s %s %s\\n' "$b" "$d" "$f"; done)"
    fi
    left=$((left - 1))
    say "${MARK} tick"
    sleep ${seconds}
  done
}
main </dev/null
`;
}
