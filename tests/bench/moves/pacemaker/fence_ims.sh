#!/bin/sh
# A fence agent: Pacemaker's options come by stdin, and the power switch of the bed is asked.
options=$(cat)
case $options in
    *action=metadata*)
        cat <<'XML'
<?xml version="1.0"?>
<resource-agent name="fence_ims" shortdesc="asks the power switch of a test bed">
<longdesc>asks the power switch of a test bed</longdesc>
<parameters>
<parameter name="plug" required="0"><content type="string"/><shortdesc lang="en">the node</shortdesc></parameter>
<parameter name="action" required="1"><content type="string" default="off"/><shortdesc lang="en">what</shortdesc></parameter>
</parameters>
<actions><action name="on"/><action name="off"/><action name="reboot"/><action name="status"/><action name="monitor"/>
<action name="metadata"/></actions>
</resource-agent>
XML
        ;;
    *) printf '%s\n' "$options" | /run/ims-bed/fence_bed ;;
esac
