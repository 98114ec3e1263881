import { EXIT, LmappError } from '../errors.js';
import { nearestNames } from '../domain/names.js';
import type { Command } from './command.js';

/** Words that a shell completes come from `lmapp __complete SHELL LINE`, so an installed script never grows old. */
export const COMPLETION_SCRIPTS: Readonly<Record<string, string>> = {
  bash: `# lmapp completion for bash: add to ~/.bashrc
#   eval "$(lmapp completion bash)"
_lmapp() {
  local IFS=$'\\n'
  COMPREPLY=($(LMAPP_WORDBREAKS="$COMP_WORDBREAKS" "\${COMP_WORDS[0]}" __complete bash "\${COMP_LINE:0:COMP_POINT}" 2>/dev/null))
}
complete -o default -F _lmapp lmapp
`,
  zsh: `#compdef lmapp
# lmapp completion for zsh: add to ~/.zshrc, behind compinit
#   eval "$(lmapp completion zsh)"
_lmapp() {
  local -a found
  found=("\${(@f)$("\${words[1]}" __complete zsh "\${LBUFFER}" 2>/dev/null)}")
  if (( \${#found[1]} )); then compadd -Q -- "\${found[@]}"; else _files; fi
}
if [ "$funcstack[1]" = "_lmapp" ]; then _lmapp; else compdef _lmapp lmapp; fi
`,
  fish: `# lmapp completion for fish: save as ~/.config/fish/completions/lmapp.fish
#   lmapp completion fish > ~/.config/fish/completions/lmapp.fish
complete -c lmapp -a '(lmapp __complete fish (commandline -cp) 2>/dev/null)'
`,
};

export const completion: Command = {
  name: 'completion',
  words: { name: 'shell', does: 'bash, zsh or fish' },
  does: 'Prints a script that completes commands, options, settings and models in a shell.',
  options: [],
  examples: [['eval "$(lmapp completion bash)"', 'completions in this bash']],
  async run({ stdout }, { words }) {
    const shell = words[0] ?? '';
    const shells = Object.keys(COMPLETION_SCRIPTS);
    const script = Object.hasOwn(COMPLETION_SCRIPTS, shell) ? COMPLETION_SCRIPTS[shell] : undefined;
    if (script === undefined || words.length > 1) {
      const nearest = nearestNames(shell, shells, 1)[0];
      throw new LmappError(
        'usage',
        shell === '' ? 'which shell?' : `${words.join(' ')} is not a shell that is known`,
        {
          hint: nearest && shell !== '' ? `Did you mean ${nearest}?` : `lmapp completion ${shells.join('|')}`,
          exitCode: EXIT.usage,
        },
      );
    }
    stdout.write(script);
    return EXIT.ok;
  },
};
