# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_ims_switch_global_optspecs
    string join \n o/output= h/help V/version
end

function __fish_ims_switch_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_ims_switch_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_ims_switch_using_subcommand
    set -l cmd (__fish_ims_switch_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c ims-switch -n "__fish_ims_switch_needs_command" -s o -l output -d 'Show records as JSON lines or as tables [default: tables on a terminal, JSON elsewhere]' -r -f -a "json\t'One JSON object a line'
table\t'Tables for people'"
complete -c ims-switch -n "__fish_ims_switch_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ims-switch -n "__fish_ims_switch_needs_command" -s V -l version -d 'Print version'
complete -c ims-switch -n "__fish_ims_switch_needs_command" -f -a "check" -d 'Say whether the group\'s file is valid and every node has the same'
complete -c ims-switch -n "__fish_ims_switch_needs_command" -f -a "status" -d 'Say where each resource and the group itself is up'
complete -c ims-switch -n "__fish_ims_switch_needs_command" -f -a "graph" -d 'Draw what a group is made of, and what needs what'
complete -c ims-switch -n "__fish_ims_switch_needs_command" -f -a "model" -d 'Write the registry, the groups and the notes of a model for nodes and instances that are named'
complete -c ims-switch -n "__fish_ims_switch_needs_command" -f -a "plan" -d 'Show the steps that would be taken, and take none'
complete -c ims-switch -n "__fish_ims_switch_needs_command" -f -a "online" -d 'Bring a group online on one node'
complete -c ims-switch -n "__fish_ims_switch_needs_command" -f -a "offline" -d 'Take a group offline'
complete -c ims-switch -n "__fish_ims_switch_needs_command" -f -a "move" -d 'Move a group to another node; it goes back when that node cannot have it'
complete -c ims-switch -n "__fish_ims_switch_needs_command" -f -a "restart" -d 'Stop and start a group, or resources of it with all that requires them, where it is online'
complete -c ims-switch -n "__fish_ims_switch_needs_command" -f -a "evacuate" -d 'Move every group that is on a node to its next node'
complete -c ims-switch -n "__fish_ims_switch_needs_command" -f -a "enable" -d 'Start resources again and watch them'
complete -c ims-switch -n "__fish_ims_switch_needs_command" -f -a "disable" -d 'Stop resources, and neither start nor watch them'
complete -c ims-switch -n "__fish_ims_switch_needs_command" -f -a "freeze" -d 'Let a group as it is: nothing moves, starts or stops it, by hand or by a fault'
complete -c ims-switch -n "__fish_ims_switch_needs_command" -f -a "unfreeze" -d 'Take a freeze back'
complete -c ims-switch -n "__fish_ims_switch_needs_command" -f -a "clear" -d 'Have faults reacted to again that were given up'
complete -c ims-switch -n "__fish_ims_switch_needs_command" -f -a "add" -d 'Put a group\'s file on every node'
complete -c ims-switch -n "__fish_ims_switch_needs_command" -f -a "remove" -d 'Take a group that is offline away from every node'
complete -c ims-switch -n "__fish_ims_switch_needs_command" -f -a "rehearse" -d 'Look at everything that a move depends on, without moving anything'
complete -c ims-switch -n "__fish_ims_switch_needs_command" -f -a "history" -d 'Print the runs of a group and their steps'
complete -c ims-switch -n "__fish_ims_switch_needs_command" -f -a "availability" -d 'Say what share of the time a service is down in each model, by table A-2 and by a Markov chain'
complete -c ims-switch -n "__fish_ims_switch_needs_command" -f -a "run" -d 'Run a command where the group is online, and do nothing elsewhere'
complete -c ims-switch -n "__fish_ims_switch_needs_command" -f -a "react" -d 'Read ims.answer/1 records from stdin, watch the servers\' processes, and react to faults: restart, then give the group over'
complete -c ims-switch -n "__fish_ims_switch_needs_command" -f -a "start" -d 'Start one resource on this node, as a step of a plan does'
complete -c ims-switch -n "__fish_ims_switch_needs_command" -f -a "stop" -d 'Stop one resource on this node, as a step of a plan does'
complete -c ims-switch -n "__fish_ims_switch_needs_command" -f -a "fence" -d 'Fence a node by its fence agent and keep the proof'
complete -c ims-switch -n "__fish_ims_switch_needs_command" -f -a "import" -d 'Write group files from the configuration of another cluster manager'
complete -c ims-switch -n "__fish_ims_switch_needs_command" -f -a "export" -d 'Write groups as the configuration of another cluster manager'
complete -c ims-switch -n "__fish_ims_switch_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand check" -s o -l output -d 'Show records as JSON lines or as tables [default: tables on a terminal, JSON elsewhere]' -r -f -a "json\t'One JSON object a line'
table\t'Tables for people'"
complete -c ims-switch -n "__fish_ims_switch_using_subcommand check" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand status" -s o -l output -d 'Show records as JSON lines or as tables [default: tables on a terminal, JSON elsewhere]' -r -f -a "json\t'One JSON object a line'
table\t'Tables for people'"
complete -c ims-switch -n "__fish_ims_switch_using_subcommand status" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand graph" -l format -d 'Print a drawing and no records [default: a tree on a terminal, records elsewhere]' -r -f -a "tree\t'Text, what is required indented below what requires it'
dot\t'The language of Graphviz'
svg\t'A picture'
mermaid\t'The language of Mermaid'"
complete -c ims-switch -n "__fish_ims_switch_using_subcommand graph" -s o -l output -d 'Show records as JSON lines or as tables [default: tables on a terminal, JSON elsewhere]' -r -f -a "json\t'One JSON object a line'
table\t'Tables for people'"
complete -c ims-switch -n "__fish_ims_switch_using_subcommand graph" -l state -d 'Look on every node, and show what is up where'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand graph" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand model" -l nodes -d 'The nodes, by the names that uname -n gives there; of n+1 the last is the standby' -r
complete -c ims-switch -n "__fish_ims_switch_using_subcommand model" -l instance -d 'An instance, its logical address (several with commas), and the node it is to run on [default: the first; of symmetric and n+1 each primary in turn]; may be given several times' -r
complete -c ims-switch -n "__fish_ims_switch_using_subcommand model" -l layout -d 'How the instances are laid out [default: postfix-dovecot]' -r
complete -c ims-switch -n "__fish_ims_switch_using_subcommand model" -l ldap -d 'The directory server below an instance\'s root; the instance may be left out where there is one alone' -r
complete -c ims-switch -n "__fish_ims_switch_using_subcommand model" -l requires-group -d 'A group that must be online first, such as the directory of users; may be given several times' -r
complete -c ims-switch -n "__fish_ims_switch_using_subcommand model" -l interface -d 'The network interface of the addresses, the same on every node [default: eth0]' -r
complete -c ims-switch -n "__fish_ims_switch_using_subcommand model" -l mounts -d 'The folder below which the volumes are mounted, each at the name of its instance [default: /global]' -r -F
complete -c ims-switch -n "__fish_ims_switch_using_subcommand model" -l disk -d 'The block device of an instance\'s volume [default: the mirror\'s, else /dev/disk/by-label/INSTANCE]' -r
complete -c ims-switch -n "__fish_ims_switch_using_subcommand model" -l mirror -d 'What keeps two copies of each volume [default: md of symmetric, none of the others]' -r -f -a "md\t'An array of mdadm over a disk of each of two arrays that both nodes reach'
btrfs\t'A Btrfs over a disk of each of two arrays that both nodes reach'
drbd\t'A resource of DRBD over a disk of each node'
none\t'Nothing here: one disk, or an array that mirrors by itself'"
complete -c ims-switch -n "__fish_ims_switch_using_subcommand model" -l leases -d 'A disk that every node reaches and that is none of the volumes\': it gets a lease of sanlock for each of them, which guards those that have no other guard' -r -F
complete -c ims-switch -n "__fish_ims_switch_using_subcommand model" -l fstype -d 'The type of the volumes\' file systems [default: btrfs of its own mirror, else ext4]' -r -f -a "ext4\t'With multiple mount protection'
xfs\t'Without a guard of its own'
btrfs\t'Without a guard of its own'"
complete -c ims-switch -n "__fish_ims_switch_using_subcommand model" -l to -d 'Write below this folder; / is this node itself' -r -F
complete -c ims-switch -n "__fish_ims_switch_using_subcommand model" -l timeout -d 'How long to wait for other runs that write the same files to end' -r
complete -c ims-switch -n "__fish_ims_switch_using_subcommand model" -l capacity -d 'How many groups the standby of n+1 can run at once [default: all of them]' -r
complete -c ims-switch -n "__fish_ims_switch_using_subcommand model" -s o -l output -d 'Show records as JSON lines or as tables [default: tables on a terminal, JSON elsewhere]' -r -f -a "json\t'One JSON object a line'
table\t'Tables for people'"
complete -c ims-switch -n "__fish_ims_switch_using_subcommand model" -l force-replace -d 'Replace entries and files that say something else'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand model" -s n -l dry-run -d 'Show what would be written, against this node where no --to is given, and write nothing'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand model" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand plan; and not __fish_seen_subcommand_from online offline move evacuate help" -s o -l output -d 'Show records as JSON lines or as tables [default: tables on a terminal, JSON elsewhere]' -r -f -a "json\t'One JSON object a line'
table\t'Tables for people'"
complete -c ims-switch -n "__fish_ims_switch_using_subcommand plan; and not __fish_seen_subcommand_from online offline move evacuate help" -l explain -d 'Say for every resource on every node why it is or is not touched, instead of the steps'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand plan; and not __fish_seen_subcommand_from online offline move evacuate help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand plan; and not __fish_seen_subcommand_from online offline move evacuate help" -f -a "online" -d 'Bring a group online on one node'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand plan; and not __fish_seen_subcommand_from online offline move evacuate help" -f -a "offline" -d 'Take a group offline'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand plan; and not __fish_seen_subcommand_from online offline move evacuate help" -f -a "move" -d 'Move a group to another node'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand plan; and not __fish_seen_subcommand_from online offline move evacuate help" -f -a "evacuate" -d 'Move every group that is on a node to its next node'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand plan; and not __fish_seen_subcommand_from online offline move evacuate help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand plan; and __fish_seen_subcommand_from online" -l on -d 'The node [default: where most of it is up, else the most preferred]' -r
complete -c ims-switch -n "__fish_ims_switch_using_subcommand plan; and __fish_seen_subcommand_from online" -l timeout -d 'How long to wait for other runs, and for commands of ims-switch run, to end' -r
complete -c ims-switch -n "__fish_ims_switch_using_subcommand plan; and __fish_seen_subcommand_from online" -l confirm-fenced -d 'A node that cannot be reached and that you have switched off yourself; may be given several times' -r
complete -c ims-switch -n "__fish_ims_switch_using_subcommand plan; and __fish_seen_subcommand_from online" -s o -l output -d 'Show records as JSON lines or as tables [default: tables on a terminal, JSON elsewhere]' -r -f -a "json\t'One JSON object a line'
table\t'Tables for people'"
complete -c ims-switch -n "__fish_ims_switch_using_subcommand plan; and __fish_seen_subcommand_from online" -l with-required -d 'Bring the groups online first that it requires, each where it prefers'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand plan; and __fish_seen_subcommand_from online" -s n -l dry-run -d 'Show the steps and take none'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand plan; and __fish_seen_subcommand_from online" -l degraded -d 'Start mirrors without legs that are missing or lack what was written since'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand plan; and __fish_seen_subcommand_from online" -l explain -d 'Say for every resource on every node why it is or is not touched, instead of the steps'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand plan; and __fish_seen_subcommand_from online" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand plan; and __fish_seen_subcommand_from offline" -l timeout -d 'How long to wait for other runs, and for commands of ims-switch run, to end' -r
complete -c ims-switch -n "__fish_ims_switch_using_subcommand plan; and __fish_seen_subcommand_from offline" -l confirm-fenced -d 'A node that cannot be reached and that you have switched off yourself; may be given several times' -r
complete -c ims-switch -n "__fish_ims_switch_using_subcommand plan; and __fish_seen_subcommand_from offline" -s o -l output -d 'Show records as JSON lines or as tables [default: tables on a terminal, JSON elsewhere]' -r -f -a "json\t'One JSON object a line'
table\t'Tables for people'"
complete -c ims-switch -n "__fish_ims_switch_using_subcommand plan; and __fish_seen_subcommand_from offline" -l here -d 'Stop it on this node alone, whatever the others have'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand plan; and __fish_seen_subcommand_from offline" -l with-dependents -d 'Take the groups offline first that require it'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand plan; and __fish_seen_subcommand_from offline" -s n -l dry-run -d 'Show the steps and take none'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand plan; and __fish_seen_subcommand_from offline" -l degraded -d 'Start mirrors without legs that are missing or lack what was written since'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand plan; and __fish_seen_subcommand_from offline" -l explain -d 'Say for every resource on every node why it is or is not touched, instead of the steps'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand plan; and __fish_seen_subcommand_from offline" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand plan; and __fish_seen_subcommand_from move" -l to -d 'The node to move to [default: the most preferred one that has it not]' -r
complete -c ims-switch -n "__fish_ims_switch_using_subcommand plan; and __fish_seen_subcommand_from move" -l timeout -d 'How long to wait for other runs, and for commands of ims-switch run, to end' -r
complete -c ims-switch -n "__fish_ims_switch_using_subcommand plan; and __fish_seen_subcommand_from move" -l confirm-fenced -d 'A node that cannot be reached and that you have switched off yourself; may be given several times' -r
complete -c ims-switch -n "__fish_ims_switch_using_subcommand plan; and __fish_seen_subcommand_from move" -s o -l output -d 'Show records as JSON lines or as tables [default: tables on a terminal, JSON elsewhere]' -r -f -a "json\t'One JSON object a line'
table\t'Tables for people'"
complete -c ims-switch -n "__fish_ims_switch_using_subcommand plan; and __fish_seen_subcommand_from move" -s n -l dry-run -d 'Show the steps and take none'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand plan; and __fish_seen_subcommand_from move" -l degraded -d 'Start mirrors without legs that are missing or lack what was written since'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand plan; and __fish_seen_subcommand_from move" -l explain -d 'Say for every resource on every node why it is or is not touched, instead of the steps'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand plan; and __fish_seen_subcommand_from move" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand plan; and __fish_seen_subcommand_from evacuate" -l timeout -d 'How long to wait for other runs, and for commands of ims-switch run, to end' -r
complete -c ims-switch -n "__fish_ims_switch_using_subcommand plan; and __fish_seen_subcommand_from evacuate" -l confirm-fenced -d 'A node that cannot be reached and that you have switched off yourself; may be given several times' -r
complete -c ims-switch -n "__fish_ims_switch_using_subcommand plan; and __fish_seen_subcommand_from evacuate" -s o -l output -d 'Show records as JSON lines or as tables [default: tables on a terminal, JSON elsewhere]' -r -f -a "json\t'One JSON object a line'
table\t'Tables for people'"
complete -c ims-switch -n "__fish_ims_switch_using_subcommand plan; and __fish_seen_subcommand_from evacuate" -s n -l dry-run -d 'Show the steps and take none'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand plan; and __fish_seen_subcommand_from evacuate" -l degraded -d 'Start mirrors without legs that are missing or lack what was written since'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand plan; and __fish_seen_subcommand_from evacuate" -l explain -d 'Say for every resource on every node why it is or is not touched, instead of the steps'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand plan; and __fish_seen_subcommand_from evacuate" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand plan; and __fish_seen_subcommand_from help" -f -a "online" -d 'Bring a group online on one node'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand plan; and __fish_seen_subcommand_from help" -f -a "offline" -d 'Take a group offline'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand plan; and __fish_seen_subcommand_from help" -f -a "move" -d 'Move a group to another node'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand plan; and __fish_seen_subcommand_from help" -f -a "evacuate" -d 'Move every group that is on a node to its next node'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand plan; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand online" -l on -d 'The node [default: where most of it is up, else the most preferred]' -r
complete -c ims-switch -n "__fish_ims_switch_using_subcommand online" -l timeout -d 'How long to wait for other runs, and for commands of ims-switch run, to end' -r
complete -c ims-switch -n "__fish_ims_switch_using_subcommand online" -l confirm-fenced -d 'A node that cannot be reached and that you have switched off yourself; may be given several times' -r
complete -c ims-switch -n "__fish_ims_switch_using_subcommand online" -s o -l output -d 'Show records as JSON lines or as tables [default: tables on a terminal, JSON elsewhere]' -r -f -a "json\t'One JSON object a line'
table\t'Tables for people'"
complete -c ims-switch -n "__fish_ims_switch_using_subcommand online" -l with-required -d 'Bring the groups online first that it requires, each where it prefers'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand online" -s n -l dry-run -d 'Show the steps and take none'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand online" -l degraded -d 'Start mirrors without legs that are missing or lack what was written since'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand online" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand offline" -l timeout -d 'How long to wait for other runs, and for commands of ims-switch run, to end' -r
complete -c ims-switch -n "__fish_ims_switch_using_subcommand offline" -l confirm-fenced -d 'A node that cannot be reached and that you have switched off yourself; may be given several times' -r
complete -c ims-switch -n "__fish_ims_switch_using_subcommand offline" -s o -l output -d 'Show records as JSON lines or as tables [default: tables on a terminal, JSON elsewhere]' -r -f -a "json\t'One JSON object a line'
table\t'Tables for people'"
complete -c ims-switch -n "__fish_ims_switch_using_subcommand offline" -l here -d 'Stop it on this node alone, whatever the others have'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand offline" -l with-dependents -d 'Take the groups offline first that require it'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand offline" -s n -l dry-run -d 'Show the steps and take none'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand offline" -l degraded -d 'Start mirrors without legs that are missing or lack what was written since'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand offline" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand move" -l to -d 'The node to move to [default: the most preferred one that has it not]' -r
complete -c ims-switch -n "__fish_ims_switch_using_subcommand move" -l timeout -d 'How long to wait for other runs, and for commands of ims-switch run, to end' -r
complete -c ims-switch -n "__fish_ims_switch_using_subcommand move" -l confirm-fenced -d 'A node that cannot be reached and that you have switched off yourself; may be given several times' -r
complete -c ims-switch -n "__fish_ims_switch_using_subcommand move" -s o -l output -d 'Show records as JSON lines or as tables [default: tables on a terminal, JSON elsewhere]' -r -f -a "json\t'One JSON object a line'
table\t'Tables for people'"
complete -c ims-switch -n "__fish_ims_switch_using_subcommand move" -s n -l dry-run -d 'Show the steps and take none'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand move" -l degraded -d 'Start mirrors without legs that are missing or lack what was written since'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand move" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand restart" -l timeout -d 'How long to wait for other runs, and for commands of ims-switch run, to end' -r
complete -c ims-switch -n "__fish_ims_switch_using_subcommand restart" -l confirm-fenced -d 'A node that cannot be reached and that you have switched off yourself; may be given several times' -r
complete -c ims-switch -n "__fish_ims_switch_using_subcommand restart" -s o -l output -d 'Show records as JSON lines or as tables [default: tables on a terminal, JSON elsewhere]' -r -f -a "json\t'One JSON object a line'
table\t'Tables for people'"
complete -c ims-switch -n "__fish_ims_switch_using_subcommand restart" -s n -l dry-run -d 'Show the steps and take none'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand restart" -l degraded -d 'Start mirrors without legs that are missing or lack what was written since'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand restart" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand evacuate" -l timeout -d 'How long to wait for other runs, and for commands of ims-switch run, to end' -r
complete -c ims-switch -n "__fish_ims_switch_using_subcommand evacuate" -l confirm-fenced -d 'A node that cannot be reached and that you have switched off yourself; may be given several times' -r
complete -c ims-switch -n "__fish_ims_switch_using_subcommand evacuate" -s o -l output -d 'Show records as JSON lines or as tables [default: tables on a terminal, JSON elsewhere]' -r -f -a "json\t'One JSON object a line'
table\t'Tables for people'"
complete -c ims-switch -n "__fish_ims_switch_using_subcommand evacuate" -s n -l dry-run -d 'Show the steps and take none'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand evacuate" -l degraded -d 'Start mirrors without legs that are missing or lack what was written since'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand evacuate" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand enable" -l timeout -d 'How long to wait for other runs, and for commands of ims-switch run, to end' -r
complete -c ims-switch -n "__fish_ims_switch_using_subcommand enable" -l confirm-fenced -d 'A node that cannot be reached and that you have switched off yourself; may be given several times' -r
complete -c ims-switch -n "__fish_ims_switch_using_subcommand enable" -s o -l output -d 'Show records as JSON lines or as tables [default: tables on a terminal, JSON elsewhere]' -r -f -a "json\t'One JSON object a line'
table\t'Tables for people'"
complete -c ims-switch -n "__fish_ims_switch_using_subcommand enable" -s n -l dry-run -d 'Show the steps and take none'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand enable" -l degraded -d 'Start mirrors without legs that are missing or lack what was written since'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand enable" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand disable" -l reason -d 'Why, for whoever finds it so' -r
complete -c ims-switch -n "__fish_ims_switch_using_subcommand disable" -l timeout -d 'How long to wait for other runs, and for commands of ims-switch run, to end' -r
complete -c ims-switch -n "__fish_ims_switch_using_subcommand disable" -l confirm-fenced -d 'A node that cannot be reached and that you have switched off yourself; may be given several times' -r
complete -c ims-switch -n "__fish_ims_switch_using_subcommand disable" -s o -l output -d 'Show records as JSON lines or as tables [default: tables on a terminal, JSON elsewhere]' -r -f -a "json\t'One JSON object a line'
table\t'Tables for people'"
complete -c ims-switch -n "__fish_ims_switch_using_subcommand disable" -s n -l dry-run -d 'Show the steps and take none'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand disable" -l degraded -d 'Start mirrors without legs that are missing or lack what was written since'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand disable" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand freeze" -l reason -d 'Why, for whoever finds it so' -r
complete -c ims-switch -n "__fish_ims_switch_using_subcommand freeze" -l timeout -d 'How long to wait for other runs to end' -r
complete -c ims-switch -n "__fish_ims_switch_using_subcommand freeze" -s o -l output -d 'Show records as JSON lines or as tables [default: tables on a terminal, JSON elsewhere]' -r -f -a "json\t'One JSON object a line'
table\t'Tables for people'"
complete -c ims-switch -n "__fish_ims_switch_using_subcommand freeze" -l persistent -d 'Let it outlast a restart of the nodes'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand freeze" -s n -l dry-run -d 'Show what would be said and say nothing'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand freeze" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand unfreeze" -l timeout -d 'How long to wait for other runs to end' -r
complete -c ims-switch -n "__fish_ims_switch_using_subcommand unfreeze" -s o -l output -d 'Show records as JSON lines or as tables [default: tables on a terminal, JSON elsewhere]' -r -f -a "json\t'One JSON object a line'
table\t'Tables for people'"
complete -c ims-switch -n "__fish_ims_switch_using_subcommand unfreeze" -l persistent -d 'Take a freeze back that outlasts restarts, too'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand unfreeze" -s n -l dry-run -d 'Show what would be said and say nothing'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand unfreeze" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand clear" -l timeout -d 'How long to wait for other runs to end' -r
complete -c ims-switch -n "__fish_ims_switch_using_subcommand clear" -s o -l output -d 'Show records as JSON lines or as tables [default: tables on a terminal, JSON elsewhere]' -r -f -a "json\t'One JSON object a line'
table\t'Tables for people'"
complete -c ims-switch -n "__fish_ims_switch_using_subcommand clear" -s n -l dry-run -d 'Show what would be said and say nothing'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand clear" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand add" -l name -d 'The group [default: the file\'s name without .toml]' -r
complete -c ims-switch -n "__fish_ims_switch_using_subcommand add" -l timeout -d 'How long to wait for other runs to end' -r
complete -c ims-switch -n "__fish_ims_switch_using_subcommand add" -s o -l output -d 'Show records as JSON lines or as tables [default: tables on a terminal, JSON elsewhere]' -r -f -a "json\t'One JSON object a line'
table\t'Tables for people'"
complete -c ims-switch -n "__fish_ims_switch_using_subcommand add" -l force-replace -d 'Replace a file of the group that says something else'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand add" -s n -l dry-run -d 'Show the difference on each node and change nothing'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand add" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand remove" -l timeout -d 'How long to wait for other runs to end' -r
complete -c ims-switch -n "__fish_ims_switch_using_subcommand remove" -s o -l output -d 'Show records as JSON lines or as tables [default: tables on a terminal, JSON elsewhere]' -r -f -a "json\t'One JSON object a line'
table\t'Tables for people'"
complete -c ims-switch -n "__fish_ims_switch_using_subcommand remove" -s n -l dry-run -d 'Show the difference on each node and change nothing'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand remove" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand rehearse" -l to -d 'The node that would get it [default: the one that a move would choose]' -r
complete -c ims-switch -n "__fish_ims_switch_using_subcommand rehearse" -s o -l output -d 'Show records as JSON lines or as tables [default: tables on a terminal, JSON elsewhere]' -r -f -a "json\t'One JSON object a line'
table\t'Tables for people'"
complete -c ims-switch -n "__fish_ims_switch_using_subcommand rehearse" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand history" -l last -d 'Only this many runs, the last ones' -r
complete -c ims-switch -n "__fish_ims_switch_using_subcommand history" -l svg -d 'Draw the same into a file, as SVG' -r -F
complete -c ims-switch -n "__fish_ims_switch_using_subcommand history" -s o -l output -d 'Show records as JSON lines or as tables [default: tables on a terminal, JSON elsewhere]' -r -f -a "json\t'One JSON object a line'
table\t'Tables for people'"
complete -c ims-switch -n "__fish_ims_switch_using_subcommand history" -l timeline -d 'Draw where the time of each run went, and which steps would shorten the outage if they were quicker'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand history" -l stats -d 'Print how long outages and runs took, by kind of run, instead of the runs'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand history" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand availability" -l model -d 'The model; may be given several times [default: all four]' -r -f -a "single\t'One server, no cluster'
asymmetric\t'A primary and a hot standby that share a storage device'
symmetric\t'Two nodes with a service each; every volume is mirrored on the other\'s storage device'
n+1\t'Primaries with a storage device each, and standbys for all of them'"
complete -c ims-switch -n "__fish_ims_switch_using_subcommand availability" -l primaries -d 'How many primaries the N+1 model has' -r
complete -c ims-switch -n "__fish_ims_switch_using_subcommand availability" -l standbys -d 'How many standbys the N+1 model has' -r
complete -c ims-switch -n "__fish_ims_switch_using_subcommand availability" -l capacity -d 'How many services one standby can carry at once [default: all]' -r
complete -c ims-switch -n "__fish_ims_switch_using_subcommand availability" -l mtbf -d 'The mean time between two failures of a server, its repair included' -r
complete -c ims-switch -n "__fish_ims_switch_using_subcommand availability" -l mttr -d 'The mean time until a server that failed is back' -r
complete -c ims-switch -n "__fish_ims_switch_using_subcommand availability" -l storage-mtbf -d 'The mean time between two failures of a storage device, its repair included' -r
complete -c ims-switch -n "__fish_ims_switch_using_subcommand availability" -l storage-mttr -d 'The mean time until a storage device that failed is back' -r
complete -c ims-switch -n "__fish_ims_switch_using_subcommand availability" -l failover -d 'The mean time that a failover takes, from its beginning until the service answers [default: 60s, assumed]' -r
complete -c ims-switch -n "__fish_ims_switch_using_subcommand availability" -l from-history -d 'Take the mean time of a failover from the journal of this group' -r
complete -c ims-switch -n "__fish_ims_switch_using_subcommand availability" -l detect -d 'How long a failure goes unseen before the failover begins [default: no time]' -r
complete -c ims-switch -n "__fish_ims_switch_using_subcommand availability" -l planned -d 'How often a year each server is taken out of service for planned work' -r
complete -c ims-switch -n "__fish_ims_switch_using_subcommand availability" -l maintenance -d 'How long planned work on a server takes: the outage where there is no cluster' -r
complete -c ims-switch -n "__fish_ims_switch_using_subcommand availability" -l switchover -d 'The outage of a planned move, where there is a cluster' -r
complete -c ims-switch -n "__fish_ims_switch_using_subcommand availability" -l years -d 'How many years are simulated' -r
complete -c ims-switch -n "__fish_ims_switch_using_subcommand availability" -l seed -d 'The seed of the simulation: the same one gives the same course' -r
complete -c ims-switch -n "__fish_ims_switch_using_subcommand availability" -s o -l output -d 'Show records as JSON lines or as tables [default: tables on a terminal, JSON elsewhere]' -r -f -a "json\t'One JSON object a line'
table\t'Tables for people'"
complete -c ims-switch -n "__fish_ims_switch_using_subcommand availability" -l check -d 'Compare with a simulation of every single server, device and service; status 1 when they differ'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand availability" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand run" -l grace -d 'How long the command has to end before it is killed' -r
complete -c ims-switch -n "__fish_ims_switch_using_subcommand run" -l timeout -d 'How long to wait for a run that is moving the group' -r
complete -c ims-switch -n "__fish_ims_switch_using_subcommand run" -s o -l output -d 'Show records as JSON lines or as tables [default: tables on a terminal, JSON elsewhere]' -r -f -a "json\t'One JSON object a line'
table\t'Tables for people'"
complete -c ims-switch -n "__fish_ims_switch_using_subcommand run" -l stop-on-move -d 'End the command, with its process group, when the group moves or stops, in place of being waited for'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand run" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand react" -l timeout -d 'How long an action waits for commands of ims-switch run to end' -r
complete -c ims-switch -n "__fish_ims_switch_using_subcommand react" -s o -l output -d 'Show records as JSON lines or as tables [default: tables on a terminal, JSON elsewhere]' -r -f -a "json\t'One JSON object a line'
table\t'Tables for people'"
complete -c ims-switch -n "__fish_ims_switch_using_subcommand react" -s n -l dry-run -d 'Tell what would be decided and do nothing'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand react" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand start" -l timeout -d 'How long to wait for other runs to end' -r
complete -c ims-switch -n "__fish_ims_switch_using_subcommand start" -s o -l output -d 'Show records as JSON lines or as tables [default: tables on a terminal, JSON elsewhere]' -r -f -a "json\t'One JSON object a line'
table\t'Tables for people'"
complete -c ims-switch -n "__fish_ims_switch_using_subcommand start" -s n -l dry-run -d 'Show the step and do not take it'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand start" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand stop" -l timeout -d 'How long to wait for other runs to end' -r
complete -c ims-switch -n "__fish_ims_switch_using_subcommand stop" -s o -l output -d 'Show records as JSON lines or as tables [default: tables on a terminal, JSON elsewhere]' -r -f -a "json\t'One JSON object a line'
table\t'Tables for people'"
complete -c ims-switch -n "__fish_ims_switch_using_subcommand stop" -s n -l dry-run -d 'Show the step and do not take it'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand stop" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand fence" -s o -l output -d 'Show records as JSON lines or as tables [default: tables on a terminal, JSON elsewhere]' -r -f -a "json\t'One JSON object a line'
table\t'Tables for people'"
complete -c ims-switch -n "__fish_ims_switch_using_subcommand fence" -s n -l dry-run -d 'Show the step and do not take it'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand fence" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand import" -l to -d 'Write the group files into this folder [default: /etc/ims/groups]' -r -F
complete -c ims-switch -n "__fish_ims_switch_using_subcommand import" -l address -d 'The address of a host name that the files use; may be given several times' -r
complete -c ims-switch -n "__fish_ims_switch_using_subcommand import" -l interface -d 'The network interface of addresses for which the files name none' -r
complete -c ims-switch -n "__fish_ims_switch_using_subcommand import" -l volume -d 'The device of a mount point for which the files name none; may be given several times' -r
complete -c ims-switch -n "__fish_ims_switch_using_subcommand import" -l nodes -d 'The nodes of groups for which the files name none, in the order of preference' -r
complete -c ims-switch -n "__fish_ims_switch_using_subcommand import" -l layout -d 'The layout of the instances that SUNW.ims and SUNW.nsldap run: iplanet-5, messaging-6 or postfix-dovecot' -r
complete -c ims-switch -n "__fish_ims_switch_using_subcommand import" -l timeout -d 'How long to wait for other runs that write group files to end' -r
complete -c ims-switch -n "__fish_ims_switch_using_subcommand import" -s o -l output -d 'Show records as JSON lines or as tables [default: tables on a terminal, JSON elsewhere]' -r -f -a "json\t'One JSON object a line'
table\t'Tables for people'"
complete -c ims-switch -n "__fish_ims_switch_using_subcommand import" -l force-replace -d 'Replace a group file that says something else'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand import" -s n -l dry-run -d 'Show what would be written and write nothing'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand import" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand export" -l to -d 'Write the files into this folder instead of printing them' -r -F
complete -c ims-switch -n "__fish_ims_switch_using_subcommand export" -s o -l output -d 'Show records as JSON lines or as tables [default: tables on a terminal, JSON elsewhere]' -r -f -a "json\t'One JSON object a line'
table\t'Tables for people'"
complete -c ims-switch -n "__fish_ims_switch_using_subcommand export" -l force-replace -d 'Replace a file that says something else'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand export" -s n -l dry-run -d 'Show what would be written and write nothing'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand export" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand help; and not __fish_seen_subcommand_from check status graph model plan online offline move restart evacuate enable disable freeze unfreeze clear add remove rehearse history availability run react start stop fence import export help" -f -a "check" -d 'Say whether the group\'s file is valid and every node has the same'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand help; and not __fish_seen_subcommand_from check status graph model plan online offline move restart evacuate enable disable freeze unfreeze clear add remove rehearse history availability run react start stop fence import export help" -f -a "status" -d 'Say where each resource and the group itself is up'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand help; and not __fish_seen_subcommand_from check status graph model plan online offline move restart evacuate enable disable freeze unfreeze clear add remove rehearse history availability run react start stop fence import export help" -f -a "graph" -d 'Draw what a group is made of, and what needs what'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand help; and not __fish_seen_subcommand_from check status graph model plan online offline move restart evacuate enable disable freeze unfreeze clear add remove rehearse history availability run react start stop fence import export help" -f -a "model" -d 'Write the registry, the groups and the notes of a model for nodes and instances that are named'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand help; and not __fish_seen_subcommand_from check status graph model plan online offline move restart evacuate enable disable freeze unfreeze clear add remove rehearse history availability run react start stop fence import export help" -f -a "plan" -d 'Show the steps that would be taken, and take none'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand help; and not __fish_seen_subcommand_from check status graph model plan online offline move restart evacuate enable disable freeze unfreeze clear add remove rehearse history availability run react start stop fence import export help" -f -a "online" -d 'Bring a group online on one node'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand help; and not __fish_seen_subcommand_from check status graph model plan online offline move restart evacuate enable disable freeze unfreeze clear add remove rehearse history availability run react start stop fence import export help" -f -a "offline" -d 'Take a group offline'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand help; and not __fish_seen_subcommand_from check status graph model plan online offline move restart evacuate enable disable freeze unfreeze clear add remove rehearse history availability run react start stop fence import export help" -f -a "move" -d 'Move a group to another node; it goes back when that node cannot have it'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand help; and not __fish_seen_subcommand_from check status graph model plan online offline move restart evacuate enable disable freeze unfreeze clear add remove rehearse history availability run react start stop fence import export help" -f -a "restart" -d 'Stop and start a group, or resources of it with all that requires them, where it is online'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand help; and not __fish_seen_subcommand_from check status graph model plan online offline move restart evacuate enable disable freeze unfreeze clear add remove rehearse history availability run react start stop fence import export help" -f -a "evacuate" -d 'Move every group that is on a node to its next node'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand help; and not __fish_seen_subcommand_from check status graph model plan online offline move restart evacuate enable disable freeze unfreeze clear add remove rehearse history availability run react start stop fence import export help" -f -a "enable" -d 'Start resources again and watch them'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand help; and not __fish_seen_subcommand_from check status graph model plan online offline move restart evacuate enable disable freeze unfreeze clear add remove rehearse history availability run react start stop fence import export help" -f -a "disable" -d 'Stop resources, and neither start nor watch them'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand help; and not __fish_seen_subcommand_from check status graph model plan online offline move restart evacuate enable disable freeze unfreeze clear add remove rehearse history availability run react start stop fence import export help" -f -a "freeze" -d 'Let a group as it is: nothing moves, starts or stops it, by hand or by a fault'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand help; and not __fish_seen_subcommand_from check status graph model plan online offline move restart evacuate enable disable freeze unfreeze clear add remove rehearse history availability run react start stop fence import export help" -f -a "unfreeze" -d 'Take a freeze back'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand help; and not __fish_seen_subcommand_from check status graph model plan online offline move restart evacuate enable disable freeze unfreeze clear add remove rehearse history availability run react start stop fence import export help" -f -a "clear" -d 'Have faults reacted to again that were given up'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand help; and not __fish_seen_subcommand_from check status graph model plan online offline move restart evacuate enable disable freeze unfreeze clear add remove rehearse history availability run react start stop fence import export help" -f -a "add" -d 'Put a group\'s file on every node'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand help; and not __fish_seen_subcommand_from check status graph model plan online offline move restart evacuate enable disable freeze unfreeze clear add remove rehearse history availability run react start stop fence import export help" -f -a "remove" -d 'Take a group that is offline away from every node'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand help; and not __fish_seen_subcommand_from check status graph model plan online offline move restart evacuate enable disable freeze unfreeze clear add remove rehearse history availability run react start stop fence import export help" -f -a "rehearse" -d 'Look at everything that a move depends on, without moving anything'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand help; and not __fish_seen_subcommand_from check status graph model plan online offline move restart evacuate enable disable freeze unfreeze clear add remove rehearse history availability run react start stop fence import export help" -f -a "history" -d 'Print the runs of a group and their steps'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand help; and not __fish_seen_subcommand_from check status graph model plan online offline move restart evacuate enable disable freeze unfreeze clear add remove rehearse history availability run react start stop fence import export help" -f -a "availability" -d 'Say what share of the time a service is down in each model, by table A-2 and by a Markov chain'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand help; and not __fish_seen_subcommand_from check status graph model plan online offline move restart evacuate enable disable freeze unfreeze clear add remove rehearse history availability run react start stop fence import export help" -f -a "run" -d 'Run a command where the group is online, and do nothing elsewhere'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand help; and not __fish_seen_subcommand_from check status graph model plan online offline move restart evacuate enable disable freeze unfreeze clear add remove rehearse history availability run react start stop fence import export help" -f -a "react" -d 'Read ims.answer/1 records from stdin, watch the servers\' processes, and react to faults: restart, then give the group over'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand help; and not __fish_seen_subcommand_from check status graph model plan online offline move restart evacuate enable disable freeze unfreeze clear add remove rehearse history availability run react start stop fence import export help" -f -a "start" -d 'Start one resource on this node, as a step of a plan does'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand help; and not __fish_seen_subcommand_from check status graph model plan online offline move restart evacuate enable disable freeze unfreeze clear add remove rehearse history availability run react start stop fence import export help" -f -a "stop" -d 'Stop one resource on this node, as a step of a plan does'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand help; and not __fish_seen_subcommand_from check status graph model plan online offline move restart evacuate enable disable freeze unfreeze clear add remove rehearse history availability run react start stop fence import export help" -f -a "fence" -d 'Fence a node by its fence agent and keep the proof'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand help; and not __fish_seen_subcommand_from check status graph model plan online offline move restart evacuate enable disable freeze unfreeze clear add remove rehearse history availability run react start stop fence import export help" -f -a "import" -d 'Write group files from the configuration of another cluster manager'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand help; and not __fish_seen_subcommand_from check status graph model plan online offline move restart evacuate enable disable freeze unfreeze clear add remove rehearse history availability run react start stop fence import export help" -f -a "export" -d 'Write groups as the configuration of another cluster manager'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand help; and not __fish_seen_subcommand_from check status graph model plan online offline move restart evacuate enable disable freeze unfreeze clear add remove rehearse history availability run react start stop fence import export help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand help; and __fish_seen_subcommand_from plan" -f -a "online" -d 'Bring a group online on one node'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand help; and __fish_seen_subcommand_from plan" -f -a "offline" -d 'Take a group offline'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand help; and __fish_seen_subcommand_from plan" -f -a "move" -d 'Move a group to another node'
complete -c ims-switch -n "__fish_ims_switch_using_subcommand help; and __fish_seen_subcommand_from plan" -f -a "evacuate" -d 'Move every group that is on a node to its next node'
