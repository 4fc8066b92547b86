#!/bin/sh
# Copies the configuration from S3 to a folder; the user OWNER can read it, and change nothing:
#   configuration.sh s3://BUCKET/PREFIX FOLDER OWNER
# What is text of this project (*.yaml, deploy.env) stays root's; all else may be a key, and is
# OWNER's alone (0600): ssh and the services refuse a key that others may read.
set -eu
source=$1 to=$2 owner=$3
umask 077
mkdir -p "$to"
aws s3 cp --recursive --only-show-errors "$source" "$to/"
find "$to" -type d -exec chown "root:$owner" {} + -exec chmod 0750 {} +
find "$to" -type f '(' -name '*.yaml' -o -name deploy.env ')' -exec chown "root:$owner" {} + -exec chmod 0640 {} +
find "$to" -type f ! -name '*.yaml' ! -name deploy.env -exec chown "$owner:$owner" {} + -exec chmod 0600 {} +
