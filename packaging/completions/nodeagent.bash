# bash completion for nodeagent
_nodeagent()
{
    local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}

    if [ "$COMP_CWORD" -eq 1 ]; then
        mapfile -t COMPREPLY < <(compgen -W "validate version help --help --version" -- "$word")
        return
    fi
    case ${COMP_WORDS[1]} in
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
    help) mapfile -t COMPREPLY < <(compgen -W "validate version" -- "$word") ;;
    esac
}
complete -o filenames -F _nodeagent nodeagent
