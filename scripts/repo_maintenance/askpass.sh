#!/bin/sh
# Answers git's questions for a user name and a password from the environment: git's GIT_ASKPASS.
case "$1" in
Username*) printf '%s\n' "$ASKPASS_USERNAME" ;;
*) printf '%s\n' "$ASKPASS_PASSWORD" ;;
esac
