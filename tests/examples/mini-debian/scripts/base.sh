#!/bin/sh
# Leaves a file that proves that the script ran as root with its variables.
printf '%s\nuser=%s\n' "$GREETING" "$(id -un)" >/etc/provisioned
