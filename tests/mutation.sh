#!/usr/bin/env bash
# Mutation tests of the pure modules: `bash tests/mutation.sh`, once `.venv/bin/pip install -e '.[test,mutation]'` is
# done. They take a minute or two, in a copy, since mutmut wants the library under `src/`. Each mutant that no test
# notices is shown, and fails this script, unless it is known to behave like the original.
set -euo pipefail
cd "$(dirname "$0")/.."

modules=(bases naming planning retention selection)
# The changed lines that behave like the original, without their indentation; CONTRIBUTING.md says of each why.
equivalent='return dt.datetime.strptime(text, "%Y%m%d").replace(tzinfo=None).date()
folder, separator, file_name = key.rpartition("/")
folder, _separator, file_name = key.rpartition("/")
return PROOFS / proof_key(proof).rpartition("/")[2]
return [_verdict(one, reasons.get(one, None)) for one in ordered]
return [_verdict(one, reasons.get(one, )) for one in ordered]'

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
unnoticed=0
for mutant in $(sed -nE 's/^ *([^ ]+): .*/\1/p' results); do
    "$mutmut" show "$mutant" >shown
    if ! sed -nE 's/^\+ +//p' shown | grep -qxF "$equivalent"; then
        cat shown
        unnoticed=$((unnoticed + 1))
    fi
done
[ "$unnoticed" = 0 ]
