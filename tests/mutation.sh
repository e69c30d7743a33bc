#!/usr/bin/env bash
# Mutation tests of the pure modules: `bash tests/mutation.sh`, once `.venv/bin/pip install -e '.[test,mutation]'` is
# done. They take a minute or two, in a copy, since mutmut wants the library under `src/`. Each mutant that no test
# notices is shown, and fails this script, unless it is known to behave like the original.
set -euo pipefail
cd "$(dirname "$0")/.."

modules=(bases naming planning retention selection)
# What changes nothing: the zone of a time whose date alone is taken; a "/" sought from the right, where no name has
# one; and no reason rather than an empty list of them. A changed function gives its mutants other numbers.
equivalent='naming\.x_(parse_date__mutmut_1|parse_(object|proof|pin|base)_key__mutmut_3|proof_path__mutmut_3)$
retention\.x_judge__mutmut_(66|68)$'

mutmut="$PWD/.venv/bin/mutmut"
copy="$(mktemp -d)"
trap 'rm -rf "$copy"' EXIT

mkdir "$copy/src"
cp -R scripts/repo_maintenance "$copy/src/"
cp -R tests "$copy/"

cat >"$copy/pyproject.toml" <<END
[tool.pytest.ini_options]
pythonpath = ["src", "."]
addopts = ["--import-mode=importlib"]

[tool.mutmut]
source_paths = ["src"]
only_mutate = [$(printf '"src/repo_maintenance/%s.py",' "${modules[@]}")]
pytest_add_cli_args_test_selection = [$(printf '"tests/unit/test_%s.py",' "${modules[@]}")]
pytest_add_cli_args = ["-p", "no:cacheprovider"]
END

cd "$copy"
"$mutmut" run --max-children 1 >mutmut.log 2>&1 || { tr '\r' '\n' <mutmut.log | tail -n 40; exit 1; }
tr '\r' '\n' <mutmut.log | grep -E '[0-9]+/[0-9]+  ' | tail -n 1
"$mutmut" results >results
sed -nE 's/^ *([^ ]+): .*/\1/p' results | grep -vE "$equivalent" >unnoticed || true
while read -r mutant; do "$mutmut" show "$mutant"; done <unnoticed
[ ! -s unnoticed ]
