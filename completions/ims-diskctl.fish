# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_ims_diskctl_global_optspecs
    string join \n o/output= h/help V/version
end

function __fish_ims_diskctl_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_ims_diskctl_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_ims_diskctl_using_subcommand
    set -l cmd (__fish_ims_diskctl_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c ims-diskctl -n "__fish_ims_diskctl_needs_command" -s o -l output -d 'Show records as JSON lines or as tables [default: tables on a terminal, JSON elsewhere]' -r -f -a "json\t'One JSON object a line'
table\t'Tables for people'"
complete -c ims-diskctl -n "__fish_ims_diskctl_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ims-diskctl -n "__fish_ims_diskctl_needs_command" -s V -l version -d 'Print version'
complete -c ims-diskctl -n "__fish_ims_diskctl_needs_command" -f -a "look" -d 'Say whether the volume is mounted here, which node masters it and when that was last alive'
complete -c ims-diskctl -n "__fish_ims_diskctl_needs_command" -f -a "take" -d 'Mount the volume here, unless another node has it'
complete -c ims-diskctl -n "__fish_ims_diskctl_needs_command" -f -a "release" -d 'Unmount the volume here, so that another node can take it at once'
complete -c ims-diskctl -n "__fish_ims_diskctl_needs_command" -f -a "guard" -d 'Say who holds the volume by each of its guards, how that is known, and which of them take goes by'
complete -c ims-diskctl -n "__fish_ims_diskctl_needs_command" -f -a "check" -d 'Say how well the volume is that is mounted here: whether it can be written, its space, its errors, its disks'
complete -c ims-diskctl -n "__fish_ims_diskctl_needs_command" -f -a "mirror" -d 'Say how the legs of the mirrors are that the volume stands on, and how far what is being made alike'
complete -c ims-diskctl -n "__fish_ims_diskctl_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c ims-diskctl -n "__fish_ims_diskctl_using_subcommand look" -l layer -d 'A layer that the device stands on, bottom up, by its kind (md, lvm, drbd, zfs, btrfs, vxvm) and name; layers alone are a disk group' -r
complete -c ims-diskctl -n "__fish_ims_diskctl_using_subcommand look" -l device -d 'The block device, best by what is on it: /dev/disk/by-label/… or by-uuid/…' -r -F
complete -c ims-diskctl -n "__fish_ims_diskctl_using_subcommand look" -l mount -d 'The folder where it is mounted' -r -F
complete -c ims-diskctl -n "__fish_ims_diskctl_using_subcommand look" -l fstype -d 'Its file system: ext4, xfs, btrfs, or another that the kernel knows' -r
complete -c ims-diskctl -n "__fish_ims_diskctl_using_subcommand look" -l options -d 'The options that it is mounted with, separated by commas' -r
complete -c ims-diskctl -n "__fish_ims_diskctl_using_subcommand look" -l guard -d 'What must keep the other nodes away; none takes a volume that has no guard' -r -f -a "auto\t'The strongest that the volume has; without any the volume is not taken'
reservation\t'A persistent reservation of the disk'
sanlock\t'A lease of sanlock'
drbd\t'The role of the DRBD resource that it stands on'
mmp\t'Multiple mount protection of ext4'
zfs\t'The host of the ZFS pool that it stands on'
vxvm\t'The host of the disk group of Veritas that it stands on'
lvm\t'The system ID, or the shared lock, of the LVM volume group that it stands on'
none\t'Nothing, if the volume has nothing: whoever says this keeps the other nodes away'"
complete -c ims-diskctl -n "__fish_ims_diskctl_using_subcommand look" -l lease -d 'The sanlock lease that guards it, the same on every node' -r
complete -c ims-diskctl -n "__fish_ims_diskctl_using_subcommand look" -l timeout -d 'How long the disk may take to answer; after that the state is unknown' -r
complete -c ims-diskctl -n "__fish_ims_diskctl_using_subcommand look" -s o -l output -d 'Show records as JSON lines or as tables [default: tables on a terminal, JSON elsewhere]' -r -f -a "json\t'One JSON object a line'
table\t'Tables for people'"
complete -c ims-diskctl -n "__fish_ims_diskctl_using_subcommand look" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ims-diskctl -n "__fish_ims_diskctl_using_subcommand take" -l layer -d 'A layer that the device stands on, bottom up, by its kind (md, lvm, drbd, zfs, btrfs, vxvm) and name; layers alone are a disk group' -r
complete -c ims-diskctl -n "__fish_ims_diskctl_using_subcommand take" -l device -d 'The block device, best by what is on it: /dev/disk/by-label/… or by-uuid/…' -r -F
complete -c ims-diskctl -n "__fish_ims_diskctl_using_subcommand take" -l mount -d 'The folder where it is mounted' -r -F
complete -c ims-diskctl -n "__fish_ims_diskctl_using_subcommand take" -l fstype -d 'Its file system: ext4, xfs, btrfs, or another that the kernel knows' -r
complete -c ims-diskctl -n "__fish_ims_diskctl_using_subcommand take" -l options -d 'The options that it is mounted with, separated by commas' -r
complete -c ims-diskctl -n "__fish_ims_diskctl_using_subcommand take" -l guard -d 'What must keep the other nodes away; none takes a volume that has no guard' -r -f -a "auto\t'The strongest that the volume has; without any the volume is not taken'
reservation\t'A persistent reservation of the disk'
sanlock\t'A lease of sanlock'
drbd\t'The role of the DRBD resource that it stands on'
mmp\t'Multiple mount protection of ext4'
zfs\t'The host of the ZFS pool that it stands on'
vxvm\t'The host of the disk group of Veritas that it stands on'
lvm\t'The system ID, or the shared lock, of the LVM volume group that it stands on'
none\t'Nothing, if the volume has nothing: whoever says this keeps the other nodes away'"
complete -c ims-diskctl -n "__fish_ims_diskctl_using_subcommand take" -l lease -d 'The sanlock lease that guards it, the same on every node' -r
complete -c ims-diskctl -n "__fish_ims_diskctl_using_subcommand take" -l proof -d 'The proof (an ims.fenced/1 record) that the node which holds the volume was fenced [default: the one in /var/lib/ims/fenced, if there is one]' -r -F
complete -c ims-diskctl -n "__fish_ims_diskctl_using_subcommand take" -l confirm-fenced -d 'Say that a node is off, and stays so until the volume is mounted: a proof by your word, which is kept; the guard must not move for one interval and a second more' -r
complete -c ims-diskctl -n "__fish_ims_diskctl_using_subcommand take" -l timeout -d 'How long it may take in all; a volume left by a crash needs 22 s to 45 s' -r
complete -c ims-diskctl -n "__fish_ims_diskctl_using_subcommand take" -s o -l output -d 'Show records as JSON lines or as tables [default: tables on a terminal, JSON elsewhere]' -r -f -a "json\t'One JSON object a line'
table\t'Tables for people'"
complete -c ims-diskctl -n "__fish_ims_diskctl_using_subcommand take" -l preempt -d 'Take a disk away from the node that reserved it, which can write nothing more from then on, alive or not'
complete -c ims-diskctl -n "__fish_ims_diskctl_using_subcommand take" -l degraded -d 'Start a mirror without a leg that is missing or lacks what was written since'
complete -c ims-diskctl -n "__fish_ims_diskctl_using_subcommand take" -l force-stale-leg -d 'Start a mirror from the leg that --device names though another is newer: what only that one has is lost'
complete -c ims-diskctl -n "__fish_ims_diskctl_using_subcommand take" -s n -l dry-run -d 'Show the steps and take none'
complete -c ims-diskctl -n "__fish_ims_diskctl_using_subcommand take" -l when-told -d 'Prepare, print an ims.ready/1 record and wait; begin when a line comes on stdin, do nothing at its end; print an ims.ended/1 record last'
complete -c ims-diskctl -n "__fish_ims_diskctl_using_subcommand take" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ims-diskctl -n "__fish_ims_diskctl_using_subcommand release" -l layer -d 'A layer that the device stands on, bottom up, by its kind (md, lvm, drbd, zfs, btrfs, vxvm) and name; layers alone are a disk group' -r
complete -c ims-diskctl -n "__fish_ims_diskctl_using_subcommand release" -l device -d 'The block device, best by what is on it: /dev/disk/by-label/… or by-uuid/…' -r -F
complete -c ims-diskctl -n "__fish_ims_diskctl_using_subcommand release" -l mount -d 'The folder where it is mounted' -r -F
complete -c ims-diskctl -n "__fish_ims_diskctl_using_subcommand release" -l fstype -d 'Its file system: ext4, xfs, btrfs, or another that the kernel knows' -r
complete -c ims-diskctl -n "__fish_ims_diskctl_using_subcommand release" -l options -d 'The options that it is mounted with, separated by commas' -r
complete -c ims-diskctl -n "__fish_ims_diskctl_using_subcommand release" -l guard -d 'What must keep the other nodes away; none takes a volume that has no guard' -r -f -a "auto\t'The strongest that the volume has; without any the volume is not taken'
reservation\t'A persistent reservation of the disk'
sanlock\t'A lease of sanlock'
drbd\t'The role of the DRBD resource that it stands on'
mmp\t'Multiple mount protection of ext4'
zfs\t'The host of the ZFS pool that it stands on'
vxvm\t'The host of the disk group of Veritas that it stands on'
lvm\t'The system ID, or the shared lock, of the LVM volume group that it stands on'
none\t'Nothing, if the volume has nothing: whoever says this keeps the other nodes away'"
complete -c ims-diskctl -n "__fish_ims_diskctl_using_subcommand release" -l lease -d 'The sanlock lease that guards it, the same on every node' -r
complete -c ims-diskctl -n "__fish_ims_diskctl_using_subcommand release" -l instance -d 'End what is left there of this instance: its processes by their control group, and those that run as the owner of its folder; may be given several times [default: of volumes that a group names, the instances of that group]' -r
complete -c ims-diskctl -n "__fish_ims_diskctl_using_subcommand release" -l grace -d 'How long a process may take to end by itself (SIGTERM) before it is killed (SIGKILL)' -r
complete -c ims-diskctl -n "__fish_ims_diskctl_using_subcommand release" -l timeout -d 'How long it may take in all, most of it to write out what is still in memory' -r
complete -c ims-diskctl -n "__fish_ims_diskctl_using_subcommand release" -s o -l output -d 'Show records as JSON lines or as tables [default: tables on a terminal, JSON elsewhere]' -r -f -a "json\t'One JSON object a line'
table\t'Tables for people'"
complete -c ims-diskctl -n "__fish_ims_diskctl_using_subcommand release" -l presync -d 'Only write out what is in memory, again until little is left, while it is in use; unmount nothing, so that the release that follows has little to write'
complete -c ims-diskctl -n "__fish_ims_diskctl_using_subcommand release" -l kill-users -d 'End every process that uses it, whoever it belongs to'
complete -c ims-diskctl -n "__fish_ims_diskctl_using_subcommand release" -s n -l dry-run -d 'Show the steps and take none'
complete -c ims-diskctl -n "__fish_ims_diskctl_using_subcommand release" -l when-told -d 'Prepare, print an ims.ready/1 record and wait; begin when a line comes on stdin, do nothing at its end; print an ims.ended/1 record last'
complete -c ims-diskctl -n "__fish_ims_diskctl_using_subcommand release" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ims-diskctl -n "__fish_ims_diskctl_using_subcommand guard" -l layer -d 'A layer that the device stands on, bottom up, by its kind (md, lvm, drbd, zfs, btrfs, vxvm) and name; layers alone are a disk group' -r
complete -c ims-diskctl -n "__fish_ims_diskctl_using_subcommand guard" -l device -d 'The block device, best by what is on it: /dev/disk/by-label/… or by-uuid/…' -r -F
complete -c ims-diskctl -n "__fish_ims_diskctl_using_subcommand guard" -l mount -d 'The folder where it is mounted' -r -F
complete -c ims-diskctl -n "__fish_ims_diskctl_using_subcommand guard" -l fstype -d 'Its file system: ext4, xfs, btrfs, or another that the kernel knows' -r
complete -c ims-diskctl -n "__fish_ims_diskctl_using_subcommand guard" -l options -d 'The options that it is mounted with, separated by commas' -r
complete -c ims-diskctl -n "__fish_ims_diskctl_using_subcommand guard" -l guard -d 'What must keep the other nodes away; none takes a volume that has no guard' -r -f -a "auto\t'The strongest that the volume has; without any the volume is not taken'
reservation\t'A persistent reservation of the disk'
sanlock\t'A lease of sanlock'
drbd\t'The role of the DRBD resource that it stands on'
mmp\t'Multiple mount protection of ext4'
zfs\t'The host of the ZFS pool that it stands on'
vxvm\t'The host of the disk group of Veritas that it stands on'
lvm\t'The system ID, or the shared lock, of the LVM volume group that it stands on'
none\t'Nothing, if the volume has nothing: whoever says this keeps the other nodes away'"
complete -c ims-diskctl -n "__fish_ims_diskctl_using_subcommand guard" -l lease -d 'The sanlock lease that guards it, the same on every node' -r
complete -c ims-diskctl -n "__fish_ims_diskctl_using_subcommand guard" -l timeout -d 'How long the disk may take to answer; after that the state is unknown' -r
complete -c ims-diskctl -n "__fish_ims_diskctl_using_subcommand guard" -s o -l output -d 'Show records as JSON lines or as tables [default: tables on a terminal, JSON elsewhere]' -r -f -a "json\t'One JSON object a line'
table\t'Tables for people'"
complete -c ims-diskctl -n "__fish_ims_diskctl_using_subcommand guard" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ims-diskctl -n "__fish_ims_diskctl_using_subcommand check" -l layer -d 'A layer that the device stands on, bottom up, by its kind (md, lvm, drbd, zfs, btrfs, vxvm) and name; layers alone are a disk group' -r
complete -c ims-diskctl -n "__fish_ims_diskctl_using_subcommand check" -l device -d 'The block device, best by what is on it: /dev/disk/by-label/… or by-uuid/…' -r -F
complete -c ims-diskctl -n "__fish_ims_diskctl_using_subcommand check" -l mount -d 'The folder where it is mounted' -r -F
complete -c ims-diskctl -n "__fish_ims_diskctl_using_subcommand check" -l fstype -d 'Its file system: ext4, xfs, btrfs, or another that the kernel knows' -r
complete -c ims-diskctl -n "__fish_ims_diskctl_using_subcommand check" -l options -d 'The options that it is mounted with, separated by commas' -r
complete -c ims-diskctl -n "__fish_ims_diskctl_using_subcommand check" -l guard -d 'What must keep the other nodes away; none takes a volume that has no guard' -r -f -a "auto\t'The strongest that the volume has; without any the volume is not taken'
reservation\t'A persistent reservation of the disk'
sanlock\t'A lease of sanlock'
drbd\t'The role of the DRBD resource that it stands on'
mmp\t'Multiple mount protection of ext4'
zfs\t'The host of the ZFS pool that it stands on'
vxvm\t'The host of the disk group of Veritas that it stands on'
lvm\t'The system ID, or the shared lock, of the LVM volume group that it stands on'
none\t'Nothing, if the volume has nothing: whoever says this keeps the other nodes away'"
complete -c ims-diskctl -n "__fish_ims_diskctl_using_subcommand check" -l lease -d 'The sanlock lease that guards it, the same on every node' -r
complete -c ims-diskctl -n "__fish_ims_diskctl_using_subcommand check" -l max-space -d 'How much of the space may be used, of what users other than root can have' -r
complete -c ims-diskctl -n "__fish_ims_diskctl_using_subcommand check" -l max-inodes -d 'How many of the inodes may be used' -r
complete -c ims-diskctl -n "__fish_ims_diskctl_using_subcommand check" -l max-write -d 'How long it may take to write a block and make it durable' -r
complete -c ims-diskctl -n "__fish_ims_diskctl_using_subcommand check" -l timeout -d 'How long it may take in all; a disk that has not answered by then is unknown' -r
complete -c ims-diskctl -n "__fish_ims_diskctl_using_subcommand check" -s o -l output -d 'Show records as JSON lines or as tables [default: tables on a terminal, JSON elsewhere]' -r -f -a "json\t'One JSON object a line'
table\t'Tables for people'"
complete -c ims-diskctl -n "__fish_ims_diskctl_using_subcommand check" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ims-diskctl -n "__fish_ims_diskctl_using_subcommand mirror" -l layer -d 'A layer that the device stands on, bottom up, by its kind (md, lvm, drbd, zfs, btrfs, vxvm) and name; layers alone are a disk group' -r
complete -c ims-diskctl -n "__fish_ims_diskctl_using_subcommand mirror" -l device -d 'The block device, best by what is on it: /dev/disk/by-label/… or by-uuid/…' -r -F
complete -c ims-diskctl -n "__fish_ims_diskctl_using_subcommand mirror" -l mount -d 'The folder where it is mounted' -r -F
complete -c ims-diskctl -n "__fish_ims_diskctl_using_subcommand mirror" -l fstype -d 'Its file system: ext4, xfs, btrfs, or another that the kernel knows' -r
complete -c ims-diskctl -n "__fish_ims_diskctl_using_subcommand mirror" -l options -d 'The options that it is mounted with, separated by commas' -r
complete -c ims-diskctl -n "__fish_ims_diskctl_using_subcommand mirror" -l guard -d 'What must keep the other nodes away; none takes a volume that has no guard' -r -f -a "auto\t'The strongest that the volume has; without any the volume is not taken'
reservation\t'A persistent reservation of the disk'
sanlock\t'A lease of sanlock'
drbd\t'The role of the DRBD resource that it stands on'
mmp\t'Multiple mount protection of ext4'
zfs\t'The host of the ZFS pool that it stands on'
vxvm\t'The host of the disk group of Veritas that it stands on'
lvm\t'The system ID, or the shared lock, of the LVM volume group that it stands on'
none\t'Nothing, if the volume has nothing: whoever says this keeps the other nodes away'"
complete -c ims-diskctl -n "__fish_ims_diskctl_using_subcommand mirror" -l lease -d 'The sanlock lease that guards it, the same on every node' -r
complete -c ims-diskctl -n "__fish_ims_diskctl_using_subcommand mirror" -l wait -d 'Wait until nothing is being made alike any more, for at most so long' -r
complete -c ims-diskctl -n "__fish_ims_diskctl_using_subcommand mirror" -l timeout -d 'How long the disks may take to answer; after that the state is unknown' -r
complete -c ims-diskctl -n "__fish_ims_diskctl_using_subcommand mirror" -s o -l output -d 'Show records as JSON lines or as tables [default: tables on a terminal, JSON elsewhere]' -r -f -a "json\t'One JSON object a line'
table\t'Tables for people'"
complete -c ims-diskctl -n "__fish_ims_diskctl_using_subcommand mirror" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ims-diskctl -n "__fish_ims_diskctl_using_subcommand help; and not __fish_seen_subcommand_from look take release guard check mirror help" -f -a "look" -d 'Say whether the volume is mounted here, which node masters it and when that was last alive'
complete -c ims-diskctl -n "__fish_ims_diskctl_using_subcommand help; and not __fish_seen_subcommand_from look take release guard check mirror help" -f -a "take" -d 'Mount the volume here, unless another node has it'
complete -c ims-diskctl -n "__fish_ims_diskctl_using_subcommand help; and not __fish_seen_subcommand_from look take release guard check mirror help" -f -a "release" -d 'Unmount the volume here, so that another node can take it at once'
complete -c ims-diskctl -n "__fish_ims_diskctl_using_subcommand help; and not __fish_seen_subcommand_from look take release guard check mirror help" -f -a "guard" -d 'Say who holds the volume by each of its guards, how that is known, and which of them take goes by'
complete -c ims-diskctl -n "__fish_ims_diskctl_using_subcommand help; and not __fish_seen_subcommand_from look take release guard check mirror help" -f -a "check" -d 'Say how well the volume is that is mounted here: whether it can be written, its space, its errors, its disks'
complete -c ims-diskctl -n "__fish_ims_diskctl_using_subcommand help; and not __fish_seen_subcommand_from look take release guard check mirror help" -f -a "mirror" -d 'Say how the legs of the mirrors are that the volume stands on, and how far what is being made alike'
complete -c ims-diskctl -n "__fish_ims_diskctl_using_subcommand help; and not __fish_seen_subcommand_from look take release guard check mirror help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
