# bash completion for nodeagent

# The pods that the agent runs, if one answers; --run-dir is taken from the command line.
_nodeagent_pods()
{
    local i run_dir=()

    for ((i = 2; i < COMP_CWORD; i++)); do
        [ "${COMP_WORDS[i]}" != --run-dir ] || run_dir=(--run-dir "${COMP_WORDS[i + 1]}")
    done
    nodeagent ps "${run_dir[@]}" 2>/dev/null | awk 'NR > 1 { print $2 }'
}

# _nodeagent_asking WORD PREVIOUS FORMATS OPTIONS: a command that asks the agent
_nodeagent_asking()
{
    case $2 in
    -o | --output) mapfile -t COMPREPLY < <(compgen -W "$3" -- "$1") ;;
    --run-dir) mapfile -t COMPREPLY < <(compgen -d -- "$1") ;;
    *)
        case $1 in
        -*) mapfile -t COMPREPLY < <(compgen -W "-o --output --run-dir --help $4" -- "$1") ;;
        *) mapfile -t COMPREPLY < <(compgen -W "$(_nodeagent_pods)" -- "$1") ;;
        esac
        ;;
    esac
}

# _nodeagent_cni WORD PREVIOUS WHAT
_nodeagent_cni()
{
    local options="--conf-dir --bin-dir --cache-dir --timeout --trace --help" formats="text json"
    local attachment="--netns --id --ifname --network --args --capabilities"

    case $3 in
    status) options+=" -o --output" ;;
    list) options+=" -o --output" formats="wide json" ;;
    add | check) options+=" $attachment" ;;
    del) options+=" $attachment --unrecorded" ;;
    gc) options+=" -o --output --dry-run --valid --network" ;;
    esac
    case $2 in
    cni) mapfile -t COMPREPLY < <(compgen -W "status list add check del gc --help" -- "$1") ;;
    -o | --output) mapfile -t COMPREPLY < <(compgen -W "$formats" -- "$1") ;;
    --conf-dir | --bin-dir | --cache-dir) mapfile -t COMPREPLY < <(compgen -d -- "$1") ;;
    --netns)
        mapfile -t COMPREPLY < <(compgen -W "$(ip netns list 2>/dev/null | cut -d' ' -f1)" -- "$1"
            compgen -f -- "$1")
        ;;
    --id | --ifname | --network | --args | --capabilities | --timeout | --valid) COMPREPLY=() ;;
    *) mapfile -t COMPREPLY < <(compgen -W "$options" -- "$1") ;;
    esac
}

# _nodeagent_probe WORD PREVIOUS
_nodeagent_probe()
{
    case $2 in
    -t | --type) mapfile -t COMPREPLY < <(compgen -W "liveness readiness startup" -- "$1") ;;
    -f | --filename) mapfile -t COMPREPLY < <(compgen -f -- "$1") ;;
    --scheme) mapfile -t COMPREPLY < <(compgen -W "HTTP HTTPS" -- "$1") ;;
    --close) mapfile -t COMPREPLY < <(compgen -W "fin reset" -- "$1") ;;
    -c | --container | -n | --count | --ip | --container-runtime-endpoint | --timeout | --period | \
        --initial-delay | --success-threshold | --failure-threshold | --path | --host | --port | \
        --service | --header) COMPREPLY=() ;;
    *)
        _nodeagent_asking "$1" "$2" "text json" "-c --container -t --type -f --filename --ip -n \
            --count -w --watch --show-secrets --container-runtime-endpoint --timeout --period \
            --initial-delay --success-threshold --failure-threshold --path --host --port --scheme \
            --service --header --close"
        ;;
    esac
}

_nodeagent()
{
    local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
    local commands="run ps why probe probes events setup cni validate version"

    if [ "$COMP_CWORD" -eq 1 ]; then
        mapfile -t COMPREPLY < <(compgen -W "$commands help --help --version" -- "$word")
        return
    fi
    case ${COMP_WORDS[1]} in
    run) mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
    ps) _nodeagent_asking "$word" "$previous" "wide json" "-w --watch" ;;
    why) _nodeagent_asking "$word" "$previous" "text json" "" ;;
    probes) _nodeagent_asking "$word" "$previous" "wide json" "-w --watch --metrics" ;;
    probe) _nodeagent_probe "$word" "$previous" ;;
    events) _nodeagent_asking "$word" "$previous" "text json" "-f --follow" ;;
    setup)
        case $previous in
        --config | --containerd | --agent-socket)
            mapfile -t COMPREPLY < <(compgen -f -- "$word")
            ;;
        --conf-dir | --public-conf-dir | --bin-dir | --cache-dir)
            mapfile -t COMPREPLY < <(compgen -d -- "$word")
            ;;
        *)
            mapfile -t COMPREPLY < <(compgen -W "containerd --check --dry-run --undo --config \
                --containerd --conf-dir --public-conf-dir --bin-dir --cache-dir --agent-socket \
                --built-in --help" -- "$word")
            ;;
        esac
        ;;
    cni) _nodeagent_cni "$word" "$previous" "${COMP_WORDS[2]}" ;;
    validate)
        case $previous in
        -o | --output) mapfile -t COMPREPLY < <(compgen -W "text json" -- "$word") ;;
        *)
            case $word in
            -*) mapfile -t COMPREPLY < <(compgen -W "-o --output --strict --help" -- "$word") ;;
            *) mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
            esac
            ;;
        esac
        ;;
    help) mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$word") ;;
    esac
}
complete -o filenames -F _nodeagent nodeagent
