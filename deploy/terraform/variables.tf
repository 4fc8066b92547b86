variable "name" {
  description = "What everything here is called; letters, digits and dashes."
  type        = string
  default     = "arteriole"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,30}$", var.name))
    error_message = "The name has 2 to 31 of a-z, 0-9 and -, and begins with a letter."
  }
}

variable "region" {
  description = "AWS region."
  type        = string
}

variable "vpc_id" {
  description = "VPC of the subnet."
  type        = string
}

variable "subnet_id" {
  description = "The subnet of the machine. One only: the data volume is in its availability zone."
  type        = string
}

variable "ami_id" {
  description = "Image of the machine: Debian 12, or another with apt and Python 3.11, with cloud-init and the AWS command."
  type        = string
}

variable "instance_type" {
  description = "Size of the machine."
  type        = string
  default     = "m6i.xlarge"
}

variable "public_address" {
  description = "Whether the machine has an address on the internet; port 443 alone is open there."
  type        = bool
  default     = false
}

variable "https_cidrs" {
  description = "Networks that may reach port 443."
  type        = list(string)
}

variable "cluster_cidrs" {
  description = "Networks of the clusters that are reached by ssh."
  type        = list(string)
  default     = []
}

variable "data_volume_gb" {
  description = "Size of the data volume."
  type        = number
  default     = 2000
}

variable "data_volume_snapshot_id" {
  description = "Snapshot to make the data volume from; empty for a blank one."
  type        = string
  default     = ""
}

variable "data_label" {
  description = "Label of the file system on the data volume (at most 12 characters for XFS, 16 for ext4)."
  type        = string
  default     = "arteriole"
}

variable "artifact_bucket" {
  description = "Bucket with the revisions that CodeDeploy installs."
  type        = string
}

variable "artifact_prefix" {
  description = "Prefix of the revisions there."
  type        = string
  default     = "releases/"
}

variable "config_prefix" {
  description = "Prefix of the configuration there: what is copied to /etc/arteriole at the first boot."
  type        = string
  default     = "config/"
}

variable "archive_bucket" {
  description = "Bucket that the archive service writes to; empty if it writes elsewhere."
  type        = string
  default     = ""
}

variable "tags" {
  description = "More tags of everything."
  type        = map(string)
  default     = {}
}
