#!/bin/sh
# Answers git's questions for a user name and a password from the environment: git's GIT_ASKPASS.
# It answers the questions that git and git-lfs ask for one host, word for word, and no others: anybody who pushes
# can make git ask for another. And not without end: git-lfs 3.3 asks again for ever when a token is refused.
answer=
for scheme in $ASKPASS_SCHEMES; do
    site="$scheme://$ASKPASS_HOST"
    own="$scheme://$ASKPASS_USERNAME@$ASKPASS_HOST"
    case "$1" in
    "Username for '$site': " | "Username for \"$site\"") answer=$ASKPASS_USERNAME ;;
    "Password for '$own': " | "Password for \"$own\"") answer=$ASKPASS_PASSWORD ;;
    esac
done
if [ -z "$answer" ]; then
    echo "askpass: no password for this host: $1" >&2
    exit 1
fi
printf x >>"$ASKPASS_COUNT"
if [ "$(wc -c <"$ASKPASS_COUNT")" -gt 20 ]; then
    echo "askpass: Authentication failed: the password is refused again and again" >&2
    exit 1
fi
printf '%s\n' "$answer"
