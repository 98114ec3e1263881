/** What the programs of macOS print, in the shape of real outputs. */

export const VM_STAT = `Mach Virtual Memory Statistics: (page size of 16384 bytes)
Pages free:                               12345.
Pages active:                            400000.
Pages inactive:                          390000.
Pages speculative:                         2000.
Pages throttled:                              0.
Pages wired down:                        200000.
Pages purgeable:                           5000.
"Translation faults":                 999999999.
Pages copy-on-write:                   12345678.
File-backed pages:                       300000.
Anonymous pages:                         500000.
Pages stored in compressor:              700000.
Pages occupied by compressor:            250000.
Swapins:                                      0.
Swapouts:                                     0.
`;

export const SWAP = 'total = 3072.00M  used = 1843.25M  free = 1228.75M  (encrypted)\n';

export const NETSTAT = `Name       Mtu   Network       Address            Ipkts Ierrs     Ibytes    Opkts Oerrs     Obytes  Coll
lo0        16384 <Link#1>                         18381     0    2224104    18381     0    2224104     0
lo0        16384 127           127.0.0.1          18381     -    2224104    18381     -    2224104     -
en0        1500  <Link#4>    a4:83:e7:00:11:22   900000     0 1000000000   500000     0   50000000     0
en0        1500  192.168.1     192.168.1.20      900000     - 1000000000   500000     -   50000000     -
en5*       1500  <Link#9>    ac:de:48:00:11:22       10     0       2000       10     0       1000     0
utun0      1380  <Link#12>                          100     0      99999      100     0      99999     0
`;
