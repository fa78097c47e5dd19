# For ~/.bashrc: source <(orch completions bash)
_orch() {
    local IFS=$'\n'
    COMPREPLY=($(orch complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
    if [[ ${COMPREPLY[0]-} == *= ]]; then
        compopt -o nospace
    fi
}
complete -o default -F _orch orch
