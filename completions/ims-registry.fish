# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_ims_registry_global_optspecs
    string join \n o/output= h/help V/version
end

function __fish_ims_registry_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_ims_registry_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_ims_registry_using_subcommand
    set -l cmd (__fish_ims_registry_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c ims-registry -n "__fish_ims_registry_needs_command" -s o -l output -d 'Show records as JSON lines or as tables [default: tables on a terminal, JSON elsewhere]' -r -f -a "json\t'One JSON object a line'
table\t'Tables for people'"
complete -c ims-registry -n "__fish_ims_registry_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ims-registry -n "__fish_ims_registry_needs_command" -s V -l version -d 'Print version'
complete -c ims-registry -n "__fish_ims_registry_needs_command" -f -a "list" -d 'Print the instances, all or those named'
complete -c ims-registry -n "__fish_ims_registry_needs_command" -f -a "add" -d 'Add an instance, or change the keys that differ'
complete -c ims-registry -n "__fish_ims_registry_needs_command" -f -a "remove" -d 'Remove instances; with the last one the file goes too'
complete -c ims-registry -n "__fish_ims_registry_needs_command" -f -a "scan" -d 'Print the instances found below server roots, whether registered or not'
complete -c ims-registry -n "__fish_ims_registry_needs_command" -f -a "import" -d 'Add the instances below the server roots that a list of Netscape Messaging Server names'
complete -c ims-registry -n "__fish_ims_registry_needs_command" -f -a "check" -d 'Say whether each entry fits what is on the disk and the other entries'
complete -c ims-registry -n "__fish_ims_registry_needs_command" -f -a "diff" -d 'Print how the registries of other nodes differ from this one'
complete -c ims-registry -n "__fish_ims_registry_needs_command" -f -a "replicate" -d 'Put the entries of this node, all or those named, into the registries of other nodes'
complete -c ims-registry -n "__fish_ims_registry_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c ims-registry -n "__fish_ims_registry_using_subcommand list" -s o -l output -d 'Show records as JSON lines or as tables [default: tables on a terminal, JSON elsewhere]' -r -f -a "json\t'One JSON object a line'
table\t'Tables for people'"
complete -c ims-registry -n "__fish_ims_registry_using_subcommand list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ims-registry -n "__fish_ims_registry_using_subcommand add" -l layout -d 'How it is laid out, iplanet-5, messaging-6 or postfix-dovecot [default: what is found on the disk]' -r
complete -c ims-registry -n "__fish_ims_registry_using_subcommand add" -l server-root -d 'The server root, the folder that holds msg-NAME' -r -F
complete -c ims-registry -n "__fish_ims_registry_using_subcommand add" -l address -d 'A logical address that the servers are bound to; may be given several times' -r
complete -c ims-registry -n "__fish_ims_registry_using_subcommand add" -l ldap -d 'The directory server below the same root, without its leading slapd-' -r
complete -c ims-registry -n "__fish_ims_registry_using_subcommand add" -l timeout -d 'How long to wait for another run that holds the lock' -r
complete -c ims-registry -n "__fish_ims_registry_using_subcommand add" -s o -l output -d 'Show records as JSON lines or as tables [default: tables on a terminal, JSON elsewhere]' -r -f -a "json\t'One JSON object a line'
table\t'Tables for people'"
complete -c ims-registry -n "__fish_ims_registry_using_subcommand add" -l no-mail -d 'The instance is a directory server alone'
complete -c ims-registry -n "__fish_ims_registry_using_subcommand add" -s n -l dry-run -d 'Show the change as a unified diff and make none'
complete -c ims-registry -n "__fish_ims_registry_using_subcommand add" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ims-registry -n "__fish_ims_registry_using_subcommand remove" -l timeout -d 'How long to wait for another run that holds the lock' -r
complete -c ims-registry -n "__fish_ims_registry_using_subcommand remove" -s o -l output -d 'Show records as JSON lines or as tables [default: tables on a terminal, JSON elsewhere]' -r -f -a "json\t'One JSON object a line'
table\t'Tables for people'"
complete -c ims-registry -n "__fish_ims_registry_using_subcommand remove" -s n -l dry-run -d 'Show the change as a unified diff and make none'
complete -c ims-registry -n "__fish_ims_registry_using_subcommand remove" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ims-registry -n "__fish_ims_registry_using_subcommand scan" -s o -l output -d 'Show records as JSON lines or as tables [default: tables on a terminal, JSON elsewhere]' -r -f -a "json\t'One JSON object a line'
table\t'Tables for people'"
complete -c ims-registry -n "__fish_ims_registry_using_subcommand scan" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ims-registry -n "__fish_ims_registry_using_subcommand import" -l timeout -d 'How long to wait for another run that holds the lock' -r
complete -c ims-registry -n "__fish_ims_registry_using_subcommand import" -s o -l output -d 'Show records as JSON lines or as tables [default: tables on a terminal, JSON elsewhere]' -r -f -a "json\t'One JSON object a line'
table\t'Tables for people'"
complete -c ims-registry -n "__fish_ims_registry_using_subcommand import" -s n -l dry-run -d 'Show the change as a unified diff and make none'
complete -c ims-registry -n "__fish_ims_registry_using_subcommand import" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ims-registry -n "__fish_ims_registry_using_subcommand check" -s o -l output -d 'Show records as JSON lines or as tables [default: tables on a terminal, JSON elsewhere]' -r -f -a "json\t'One JSON object a line'
table\t'Tables for people'"
complete -c ims-registry -n "__fish_ims_registry_using_subcommand check" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ims-registry -n "__fish_ims_registry_using_subcommand diff" -l with -d 'The nodes, by their names in /etc/ims/nodes.toml' -r
complete -c ims-registry -n "__fish_ims_registry_using_subcommand diff" -l timeout -d 'How long a node may take beyond the time to reach it' -r
complete -c ims-registry -n "__fish_ims_registry_using_subcommand diff" -s o -l output -d 'Show records as JSON lines or as tables [default: tables on a terminal, JSON elsewhere]' -r -f -a "json\t'One JSON object a line'
table\t'Tables for people'"
complete -c ims-registry -n "__fish_ims_registry_using_subcommand diff" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ims-registry -n "__fish_ims_registry_using_subcommand replicate" -l to -d 'The nodes, by their names in /etc/ims/nodes.toml' -r
complete -c ims-registry -n "__fish_ims_registry_using_subcommand replicate" -l timeout -d 'How long to wait for another run that holds the lock' -r
complete -c ims-registry -n "__fish_ims_registry_using_subcommand replicate" -s o -l output -d 'Show records as JSON lines or as tables [default: tables on a terminal, JSON elsewhere]' -r -f -a "json\t'One JSON object a line'
table\t'Tables for people'"
complete -c ims-registry -n "__fish_ims_registry_using_subcommand replicate" -l force-replace -d 'Overwrite entries that differ there'
complete -c ims-registry -n "__fish_ims_registry_using_subcommand replicate" -s n -l dry-run -d 'Show the change as a unified diff and make none'
complete -c ims-registry -n "__fish_ims_registry_using_subcommand replicate" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ims-registry -n "__fish_ims_registry_using_subcommand help; and not __fish_seen_subcommand_from list add remove scan import check diff replicate help" -f -a "list" -d 'Print the instances, all or those named'
complete -c ims-registry -n "__fish_ims_registry_using_subcommand help; and not __fish_seen_subcommand_from list add remove scan import check diff replicate help" -f -a "add" -d 'Add an instance, or change the keys that differ'
complete -c ims-registry -n "__fish_ims_registry_using_subcommand help; and not __fish_seen_subcommand_from list add remove scan import check diff replicate help" -f -a "remove" -d 'Remove instances; with the last one the file goes too'
complete -c ims-registry -n "__fish_ims_registry_using_subcommand help; and not __fish_seen_subcommand_from list add remove scan import check diff replicate help" -f -a "scan" -d 'Print the instances found below server roots, whether registered or not'
complete -c ims-registry -n "__fish_ims_registry_using_subcommand help; and not __fish_seen_subcommand_from list add remove scan import check diff replicate help" -f -a "import" -d 'Add the instances below the server roots that a list of Netscape Messaging Server names'
complete -c ims-registry -n "__fish_ims_registry_using_subcommand help; and not __fish_seen_subcommand_from list add remove scan import check diff replicate help" -f -a "check" -d 'Say whether each entry fits what is on the disk and the other entries'
complete -c ims-registry -n "__fish_ims_registry_using_subcommand help; and not __fish_seen_subcommand_from list add remove scan import check diff replicate help" -f -a "diff" -d 'Print how the registries of other nodes differ from this one'
complete -c ims-registry -n "__fish_ims_registry_using_subcommand help; and not __fish_seen_subcommand_from list add remove scan import check diff replicate help" -f -a "replicate" -d 'Put the entries of this node, all or those named, into the registries of other nodes'
complete -c ims-registry -n "__fish_ims_registry_using_subcommand help; and not __fish_seen_subcommand_from list add remove scan import check diff replicate help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
