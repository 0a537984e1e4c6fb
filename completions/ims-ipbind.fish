# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_ims_ipbind_global_optspecs
    string join \n o/output= h/help V/version
end

function __fish_ims_ipbind_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_ims_ipbind_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_ims_ipbind_using_subcommand
    set -l cmd (__fish_ims_ipbind_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c ims-ipbind -n "__fish_ims_ipbind_needs_command" -s o -l output -d 'Show records as JSON lines or as tables [default: tables on a terminal, JSON elsewhere]' -r -f -a "json\t'One JSON object a line'
table\t'Tables for people'"
complete -c ims-ipbind -n "__fish_ims_ipbind_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ims-ipbind -n "__fish_ims_ipbind_needs_command" -s V -l version -d 'Print version'
complete -c ims-ipbind -n "__fish_ims_ipbind_needs_command" -f -a "show" -d 'Say where each server of an instance listens and sends from, with file and line, and whether it does so now'
complete -c ims-ipbind -n "__fish_ims_ipbind_needs_command" -f -a "set" -d 'Make the servers of an instance listen on its logical address alone'
complete -c ims-ipbind -n "__fish_ims_ipbind_needs_command" -f -a "ask" -d 'Ask the questions of the original\'s script, then do what set does'
complete -c ims-ipbind -n "__fish_ims_ipbind_needs_command" -f -a "restore" -d 'Give back the files as they were before the first set'
complete -c ims-ipbind -n "__fish_ims_ipbind_needs_command" -f -a "up" -d 'Put an address on an interface, when nobody else answers for it'
complete -c ims-ipbind -n "__fish_ims_ipbind_needs_command" -f -a "down" -d 'Reset the connections of an address and take it off an interface'
complete -c ims-ipbind -n "__fish_ims_ipbind_needs_command" -f -a "announce" -d 'Tell the neighbours again where an address is that is up here'
complete -c ims-ipbind -n "__fish_ims_ipbind_needs_command" -f -a "look" -d 'Say whether an address is on an interface, or whether the interface itself is up'
complete -c ims-ipbind -n "__fish_ims_ipbind_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c ims-ipbind -n "__fish_ims_ipbind_using_subcommand show" -l address -d 'A logical address that the servers should be bound to [default: the instance\'s in the registry]' -r
complete -c ims-ipbind -n "__fish_ims_ipbind_using_subcommand show" -l server-root -d 'The server root, for an instance that is not in the registry' -r -F
complete -c ims-ipbind -n "__fish_ims_ipbind_using_subcommand show" -l layout -d 'How it is laid out, iplanet-5, messaging-6 or postfix-dovecot [default: what is found on the disk]' -r
complete -c ims-ipbind -n "__fish_ims_ipbind_using_subcommand show" -l ldap -d 'The directory server below the same root, without its leading slapd-' -r
complete -c ims-ipbind -n "__fish_ims_ipbind_using_subcommand show" -l timeout -d 'How long the message stores\' configutil may take, all questions together' -r
complete -c ims-ipbind -n "__fish_ims_ipbind_using_subcommand show" -s o -l output -d 'Show records as JSON lines or as tables [default: tables on a terminal, JSON elsewhere]' -r -f -a "json\t'One JSON object a line'
table\t'Tables for people'"
complete -c ims-ipbind -n "__fish_ims_ipbind_using_subcommand show" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ims-ipbind -n "__fish_ims_ipbind_using_subcommand set" -l address -d 'The logical address; may be given several times [default: the instance\'s in the registry]' -r
complete -c ims-ipbind -n "__fish_ims_ipbind_using_subcommand set" -l server-root -d 'The server root, for an instance that is not in the registry' -r -F
complete -c ims-ipbind -n "__fish_ims_ipbind_using_subcommand set" -l layout -d 'How it is laid out, iplanet-5, messaging-6 or postfix-dovecot [default: what is found on the disk]' -r
complete -c ims-ipbind -n "__fish_ims_ipbind_using_subcommand set" -l ldap -d 'The directory server below the same root, without its leading slapd-' -r
complete -c ims-ipbind -n "__fish_ims_ipbind_using_subcommand set" -l timeout -d 'How long to wait for another run that holds the lock, and for each helper program' -r
complete -c ims-ipbind -n "__fish_ims_ipbind_using_subcommand set" -s o -l output -d 'Show records as JSON lines or as tables [default: tables on a terminal, JSON elsewhere]' -r -f -a "json\t'One JSON object a line'
table\t'Tables for people'"
complete -c ims-ipbind -n "__fish_ims_ipbind_using_subcommand set" -s n -l dry-run -d 'Show the change as a unified diff and make none'
complete -c ims-ipbind -n "__fish_ims_ipbind_using_subcommand set" -l force-slapd-running -d 'Change a directory server\'s own configuration although it runs; it may write the old one back'
complete -c ims-ipbind -n "__fish_ims_ipbind_using_subcommand set" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ims-ipbind -n "__fish_ims_ipbind_using_subcommand ask" -l timeout -d 'How long to wait for another run that holds the lock, and for each helper program' -r
complete -c ims-ipbind -n "__fish_ims_ipbind_using_subcommand ask" -s o -l output -d 'Show records as JSON lines or as tables [default: tables on a terminal, JSON elsewhere]' -r -f -a "json\t'One JSON object a line'
table\t'Tables for people'"
complete -c ims-ipbind -n "__fish_ims_ipbind_using_subcommand ask" -s n -l dry-run -d 'Show the change as a unified diff and make none'
complete -c ims-ipbind -n "__fish_ims_ipbind_using_subcommand ask" -l force-slapd-running -d 'Change a directory server\'s own configuration although it runs; it may write the old one back'
complete -c ims-ipbind -n "__fish_ims_ipbind_using_subcommand ask" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ims-ipbind -n "__fish_ims_ipbind_using_subcommand restore" -l server-root -d 'The server root, for an instance that is not in the registry' -r -F
complete -c ims-ipbind -n "__fish_ims_ipbind_using_subcommand restore" -l layout -d 'How it is laid out, iplanet-5, messaging-6 or postfix-dovecot [default: what is found on the disk]' -r
complete -c ims-ipbind -n "__fish_ims_ipbind_using_subcommand restore" -l ldap -d 'The directory server below the same root, without its leading slapd-' -r
complete -c ims-ipbind -n "__fish_ims_ipbind_using_subcommand restore" -l timeout -d 'How long to wait for another run that holds the lock, and for each helper program' -r
complete -c ims-ipbind -n "__fish_ims_ipbind_using_subcommand restore" -s o -l output -d 'Show records as JSON lines or as tables [default: tables on a terminal, JSON elsewhere]' -r -f -a "json\t'One JSON object a line'
table\t'Tables for people'"
complete -c ims-ipbind -n "__fish_ims_ipbind_using_subcommand restore" -s n -l dry-run -d 'Show the change as a unified diff and make none'
complete -c ims-ipbind -n "__fish_ims_ipbind_using_subcommand restore" -l force-slapd-running -d 'Change a directory server\'s own configuration although it runs; it may write the old one back'
complete -c ims-ipbind -n "__fish_ims_ipbind_using_subcommand restore" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ims-ipbind -n "__fish_ims_ipbind_using_subcommand up" -l device -d 'The interface to put it on' -r
complete -c ims-ipbind -n "__fish_ims_ipbind_using_subcommand up" -l probe-wait -d 'How long to listen for somebody else who has the address; 0s asks nobody' -r
complete -c ims-ipbind -n "__fish_ims_ipbind_using_subcommand up" -s o -l output -d 'Show records as JSON lines or as tables [default: tables on a terminal, JSON elsewhere]' -r -f -a "json\t'One JSON object a line'
table\t'Tables for people'"
complete -c ims-ipbind -n "__fish_ims_ipbind_using_subcommand up" -l adopt -d 'Take over an address that stands there and was put on by somebody else, without an interruption'
complete -c ims-ipbind -n "__fish_ims_ipbind_using_subcommand up" -l flush-neighbours -d 'Also forget which neighbour had the address, so that this node does not go on sending there'
complete -c ims-ipbind -n "__fish_ims_ipbind_using_subcommand up" -l when-told -d 'Prepare, print an ims.ready/1 record and wait; begin when a line comes on stdin, do nothing at its end; print an ims.ended/1 record last'
complete -c ims-ipbind -n "__fish_ims_ipbind_using_subcommand up" -s n -l dry-run -d 'Show what would be done and do nothing but ask'
complete -c ims-ipbind -n "__fish_ims_ipbind_using_subcommand up" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ims-ipbind -n "__fish_ims_ipbind_using_subcommand down" -l device -d 'The interface to take it off' -r
complete -c ims-ipbind -n "__fish_ims_ipbind_using_subcommand down" -s o -l output -d 'Show records as JSON lines or as tables [default: tables on a terminal, JSON elsewhere]' -r -f -a "json\t'One JSON object a line'
table\t'Tables for people'"
complete -c ims-ipbind -n "__fish_ims_ipbind_using_subcommand down" -l keep-connections -d 'Leave the TCP connections of the address as they are, instead of resetting them'
complete -c ims-ipbind -n "__fish_ims_ipbind_using_subcommand down" -l flush-neighbours -d 'Also forget which neighbour had the address, so that this node asks anew who has it'
complete -c ims-ipbind -n "__fish_ims_ipbind_using_subcommand down" -l force-not-ours -d 'Take it off although somebody else put it on'
complete -c ims-ipbind -n "__fish_ims_ipbind_using_subcommand down" -l when-told -d 'Prepare, print an ims.ready/1 record and wait; begin when a line comes on stdin, do nothing at its end; print an ims.ended/1 record last'
complete -c ims-ipbind -n "__fish_ims_ipbind_using_subcommand down" -s n -l dry-run -d 'Show what would be done and do nothing'
complete -c ims-ipbind -n "__fish_ims_ipbind_using_subcommand down" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ims-ipbind -n "__fish_ims_ipbind_using_subcommand announce" -l device -d 'The interface it is up on' -r
complete -c ims-ipbind -n "__fish_ims_ipbind_using_subcommand announce" -l count -d 'How often, up to 100 times, or 3 times for IPv6 [default: 2, or 3 for IPv6]' -r
complete -c ims-ipbind -n "__fish_ims_ipbind_using_subcommand announce" -l every -d 'How long to wait in between, 10ms or more, or 1s or more for IPv6 [default: 2s, or 1s for IPv6]' -r
complete -c ims-ipbind -n "__fish_ims_ipbind_using_subcommand announce" -s o -l output -d 'Show records as JSON lines or as tables [default: tables on a terminal, JSON elsewhere]' -r -f -a "json\t'One JSON object a line'
table\t'Tables for people'"
complete -c ims-ipbind -n "__fish_ims_ipbind_using_subcommand announce" -s n -l dry-run -d 'Show what would be done and do nothing'
complete -c ims-ipbind -n "__fish_ims_ipbind_using_subcommand announce" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ims-ipbind -n "__fish_ims_ipbind_using_subcommand look" -l device -d 'The interface' -r
complete -c ims-ipbind -n "__fish_ims_ipbind_using_subcommand look" -l probe-wait -d 'How long to listen for somebody else who has the address; 0s asks nobody' -r
complete -c ims-ipbind -n "__fish_ims_ipbind_using_subcommand look" -s o -l output -d 'Show records as JSON lines or as tables [default: tables on a terminal, JSON elsewhere]' -r -f -a "json\t'One JSON object a line'
table\t'Tables for people'"
complete -c ims-ipbind -n "__fish_ims_ipbind_using_subcommand look" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ims-ipbind -n "__fish_ims_ipbind_using_subcommand help; and not __fish_seen_subcommand_from show set ask restore up down announce look help" -f -a "show" -d 'Say where each server of an instance listens and sends from, with file and line, and whether it does so now'
complete -c ims-ipbind -n "__fish_ims_ipbind_using_subcommand help; and not __fish_seen_subcommand_from show set ask restore up down announce look help" -f -a "set" -d 'Make the servers of an instance listen on its logical address alone'
complete -c ims-ipbind -n "__fish_ims_ipbind_using_subcommand help; and not __fish_seen_subcommand_from show set ask restore up down announce look help" -f -a "ask" -d 'Ask the questions of the original\'s script, then do what set does'
complete -c ims-ipbind -n "__fish_ims_ipbind_using_subcommand help; and not __fish_seen_subcommand_from show set ask restore up down announce look help" -f -a "restore" -d 'Give back the files as they were before the first set'
complete -c ims-ipbind -n "__fish_ims_ipbind_using_subcommand help; and not __fish_seen_subcommand_from show set ask restore up down announce look help" -f -a "up" -d 'Put an address on an interface, when nobody else answers for it'
complete -c ims-ipbind -n "__fish_ims_ipbind_using_subcommand help; and not __fish_seen_subcommand_from show set ask restore up down announce look help" -f -a "down" -d 'Reset the connections of an address and take it off an interface'
complete -c ims-ipbind -n "__fish_ims_ipbind_using_subcommand help; and not __fish_seen_subcommand_from show set ask restore up down announce look help" -f -a "announce" -d 'Tell the neighbours again where an address is that is up here'
complete -c ims-ipbind -n "__fish_ims_ipbind_using_subcommand help; and not __fish_seen_subcommand_from show set ask restore up down announce look help" -f -a "look" -d 'Say whether an address is on an interface, or whether the interface itself is up'
complete -c ims-ipbind -n "__fish_ims_ipbind_using_subcommand help; and not __fish_seen_subcommand_from show set ask restore up down announce look help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
