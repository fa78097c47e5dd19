# For ~/.config/fish/completions/orch.fish: orch completions fish
complete -c orch -a '(orch complete -- (commandline -opc)[2..-1] (commandline -ct) 2>/dev/null)'
