"""Let ``python -m livingdrug.cli`` be the command."""

from livingdrug.cli.entry import main

raise SystemExit(main())
