# Starts a fresh Purser in memory for the script that sources this file, and ends it together with the script. The
# script must run in a folder beside this file.
#
# Sets `url`, `work` (a temporary folder, removed when the script ends), and `reseller` and `key` of the demo reseller.
# The operator's API key is `fuzz`.

# Builds all targets, because `make test` builds them, too; building only some of them would compile those again.
cargo build --quiet --workspace --all-targets
work=$(mktemp -d)
stop() {
    [[ -z ${purser:-} ]] || kill "$purser" 2> "$work/none" || true
    rm -rf "$work"
}
trap stop EXIT

# No rate limits, because the scripts send more requests than are allowed.
export PURSER_OPERATOR_KEY=fuzz PURSER_KEY_REQUESTS_PER_MINUTE=0 PURSER_ADDRESS_REQUESTS_PER_MINUTE=0
export PURSER_ADDRESS_MAILS_PER_HOUR=0
exec {said}< <(exec "${CARGO_TARGET_DIR:-../../target}/debug/purser" --ephemeral --port 0 2> "$work/log")
purser=$!
while read -r line <&"$said"; do
    case $line in
        *"API "*/v1) url=${line##* } url=${url%/v1} ;;
        *"Demo reseller "*) reseller=$(grep -o 'RS-[0-9A-Z]*' <<< "$line") ;;
        *"API key "*) key=${line##* } ;;
        *"stops it"*) break ;;
    esac
done
if [[ $line != *"stops it"* ]]; then
    echo "Purser did not start:" && cat "$work/log" && exit 1
fi
