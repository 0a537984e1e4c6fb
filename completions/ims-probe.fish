complete -c ims-probe -s o -l output -d 'Show records as JSON lines or as tables [default: tables on a terminal, JSON elsewhere]' -r -f -a "json\t'One JSON object a line'
table\t'Tables for people'"
complete -c ims-probe -l root -d 'Look for files and helper programs below this folder' -r -F
complete -c ims-probe -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ims-probe -s V -l version -d 'Print version'
