complete -c ims-probe -s l -l level -d 'How deeply to ask' -r -f -a "connect\t'The port takes a connection'
greet\t'The server greets as its protocol says; LDAP, which has no greeting, answers an anonymous bind'
session\t'The server tells what it can do and says goodbye in order'"
complete -c ims-probe -l part -d 'Probe only this part of instances' -r -f -a "mail\t'The mail servers'
directory\t'The directory server'"
complete -c ims-probe -s t -l timeout -d 'How long one probe may take, from reading the configuration to the server\'s goodbye' -r
complete -c ims-probe -l every -d 'Probe again and again, this long from one beginning to the next' -r
complete -c ims-probe -l count -d 'End after this many probes of each target' -r
complete -c ims-probe -l tls -d 'Whether to ask for STARTTLS, and how strict to be with TLS [default: what the target\'s scheme says]' -r -f -a "require\t'A server without STARTTLS, and a certificate that does not verify, are down'
try\t'STARTTLS where it is offered; what is wrong with the certificate is a finding'
off\t'No STARTTLS'"
complete -c ims-probe -l ca -d 'Trust the certificates in this PEM file, in place of the system\'s' -r -F
complete -c ims-probe -l name -d 'The name to ask for and to look for in certificates, in place of each target\'s own' -r
complete -c ims-probe -l from -d 'The prober\'s own address' -r
complete -c ims-probe -s o -l output -d 'Show records as JSON lines or as tables [default: tables on a terminal, JSON elsewhere]' -r -f -a "json\t'One JSON object a line'
table\t'Tables for people'"
complete -c ims-probe -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ims-probe -s V -l version -d 'Print version'
