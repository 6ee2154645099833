#!/bin/sh
printf 'role=%s builder=%s\n' "$ROLE" "$PACKER_BUILDER_TYPE" >>/etc/provisioned
