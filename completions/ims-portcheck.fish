complete -c ims-portcheck -s o -l output -d 'Show records as JSON lines or as tables [default: tables on a terminal, JSON elsewhere]' -r -f -a "json\t'One JSON object a line'
table\t'Tables for people'"
complete -c ims-portcheck -l root -d 'Look for files and helper programs below this folder' -r -F
complete -c ims-portcheck -l live -d 'Look also at the sockets that listen on this node now (the default)'
complete -c ims-portcheck -l no-live -d 'Compare configurations alone'
complete -c ims-portcheck -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ims-portcheck -s V -l version -d 'Print version'
