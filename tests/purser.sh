# Starts a fresh Purser in memory for a script in a folder beside this one that sources it, and ends it with the script.
#
# Gives `url`, `work` (a folder that goes when the script ends), and of the demo reseller `reseller` and `key`. The
# operator's key is `fuzz`.

# Everything, because `make test` builds that as well, and a part of it would be built again.
cargo build --quiet --workspace --all-targets
work=$(mktemp -d)
stop() {
    [[ -z ${purser:-} ]] || kill "$purser" 2> "$work/none" || true
    rm -rf "$work"
}
trap stop EXIT

# What is asked is more than anybody may ask.
export PURSER_OPERATOR_KEY=fuzz PURSER_KEY_REQUESTS_PER_MINUTE=0 PURSER_ADDRESS_REQUESTS_PER_MINUTE=0
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
