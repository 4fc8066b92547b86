"""What packs' files are called, for code of packs that reads them itself.

Source: st2common/constants/pack.py of StackStorm 3.9.
"""

COMMON_LIB_DIR = "lib"
MANIFEST_FILE_NAME = "pack.yaml"
CONFIG_SCHEMA_FILE_NAME = "config.schema.yaml"

#: Between a pack and its version, as in demo=1.0.1.
PACK_VERSION_SEPARATOR = "="
PACK_REF_WHITELIST_REGEX = r"^[a-z0-9_]+$"
PACK_RESERVED_CHARACTERS = ["."]

SYSTEM_PACK_NAME = "core"
PACKS_PACK_NAME = "packs"
LINUX_PACK_NAME = "linux"
CHATOPS_PACK_NAME = "chatops"
DEFAULT_PACK_NAME = "default"
SYSTEM_PACK_NAMES = [CHATOPS_PACK_NAME, SYSTEM_PACK_NAME, PACKS_PACK_NAME, LINUX_PACK_NAME]
