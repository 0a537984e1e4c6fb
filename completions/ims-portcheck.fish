# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_ims_portcheck_global_optspecs
    string join \n group= as-on= live no-live disabled-units timeout= o/output= h/help V/version
end

function __fish_ims_portcheck_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_ims_portcheck_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_ims_portcheck_using_subcommand
    set -l cmd (__fish_ims_portcheck_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c ims-portcheck -n "__fish_ims_portcheck_needs_command" -l group -d 'Answer for each node of this group, as if it had to host them all; may be given several times' -r
complete -c ims-portcheck -n "__fish_ims_portcheck_needs_command" -l as-on -d 'Answer for this node, as if it had to host them all; may be given several times [default: this node]' -r
complete -c ims-portcheck -n "__fish_ims_portcheck_needs_command" -l timeout -d 'How long another node may take to answer; of assign how long to wait for another run that holds a lock, and for each helper program' -r
complete -c ims-portcheck -n "__fish_ims_portcheck_needs_command" -s o -l output -d 'Show records as JSON lines or as tables [default: tables on a terminal, JSON elsewhere]' -r -f -a "json\t'One JSON object a line'
table\t'Tables for people'"
complete -c ims-portcheck -n "__fish_ims_portcheck_needs_command" -l live -d 'Look also at what the node itself has (the default): the sockets that listen now, systemd\'s socket units, and the ports of outgoing connections; another node is asked by its reach command'
complete -c ims-portcheck -n "__fish_ims_portcheck_needs_command" -l no-live -d 'Compare the instances\' configurations alone'
complete -c ims-portcheck -n "__fish_ims_portcheck_needs_command" -l disabled-units -d 'Tell also of systemd\'s socket units that are not enabled'
complete -c ims-portcheck -n "__fish_ims_portcheck_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ims-portcheck -n "__fish_ims_portcheck_needs_command" -s V -l version -d 'Print version'
complete -c ims-portcheck -n "__fish_ims_portcheck_needs_command" -a "assign" -d 'Give the Job Controller of each instance of this node a port of its own'
complete -c ims-portcheck -n "__fish_ims_portcheck_needs_command" -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c ims-portcheck -n "__fish_ims_portcheck_using_subcommand assign" -l timeout -d 'How long another node may take to answer; of assign how long to wait for another run that holds a lock, and for each helper program' -r
complete -c ims-portcheck -n "__fish_ims_portcheck_using_subcommand assign" -s o -l output -d 'Show records as JSON lines or as tables [default: tables on a terminal, JSON elsewhere]' -r -f -a "json\t'One JSON object a line'
table\t'Tables for people'"
complete -c ims-portcheck -n "__fish_ims_portcheck_using_subcommand assign" -s n -l dry-run -d 'Show the change as a unified diff and make none'
complete -c ims-portcheck -n "__fish_ims_portcheck_using_subcommand assign" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ims-portcheck -n "__fish_ims_portcheck_using_subcommand help; and not __fish_seen_subcommand_from assign help" -f -a "assign" -d 'Give the Job Controller of each instance of this node a port of its own'
complete -c ims-portcheck -n "__fish_ims_portcheck_using_subcommand help; and not __fish_seen_subcommand_from assign help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
