complete -c ims-probe -s l -l level -d 'How deeply to ask' -r -f -a "connect\t'The port takes a connection'
greet\t'The server greets as its protocol says; LDAP, which has no greeting, answers an anonymous bind'
session\t'The server tells what it can do and says goodbye in order'
login\t'Somebody logs in, and a directory finds what it is asked for'
deliver\t'A message goes in, is seen in the mailbox and is deleted'"
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
complete -c ims-probe -l window -d 'Add up failures in a sliding window of so many probes, or of so much time' -r
complete -c ims-probe -l secrets -d 'Who logs in where: a file of users and passwords that only its owner may read, or fd:N for an open descriptor' -r
complete -c ims-probe -l from -d 'The prober\'s own address' -r
complete -c ims-probe -s o -l output -d 'Tell answers as JSON lines, as tables, or as a report for another program [default: tables on a terminal, JSON elsewhere]' -r -f -a "json\t'One JSON object a line'
table\t'Tables for people'
nagios\t'What a monitoring plugin prints, with the numbers that a plugin exits with'
prometheus\t'Metrics in the text format of Prometheus'
openmetrics\t'Metrics in the text format of OpenMetrics'
junit\t'A test report in the XML of JUnit'"
complete -c ims-probe -l to -d 'Replace this file with the report (prometheus, openmetrics, junit) instead of printing it' -r -F
complete -c ims-probe -s h -l help -d 'Print help (see more with \'--help\')'
complete -c ims-probe -s V -l version -d 'Print version'
