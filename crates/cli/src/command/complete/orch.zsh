#compdef orch
# For ~/.zshrc, after compinit: source <(orch completions zsh)
_orch() {
    local -a found
    found=("${(@f)$(orch complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)}")
    compadd -S '' -- ${(M)found:#*=}
    compadd -- ${found:#*=} || _files
}
compdef _orch orch
