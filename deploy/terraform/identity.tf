data "aws_partition" "this" {}

data "aws_caller_identity" "this" {}

locals {
  partition = data.aws_partition.this.partition
  account   = data.aws_caller_identity.this.account_id
  artifacts = "arn:${local.partition}:s3:::${var.artifact_bucket}"
  archive   = "arn:${local.partition}:s3:::${var.archive_bucket}"
}

data "aws_iam_policy_document" "machine_trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ec2.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "machine" {
  statement {
    sid     = "ReadRevisionsAndConfiguration"
    actions = ["s3:GetObject", "s3:GetObjectVersion"]
    resources = [
      "${local.artifacts}/${var.artifact_prefix}*",
      "${local.artifacts}/${var.config_prefix}*",
    ]
  }

  statement {
    sid       = "ListConfiguration"
    actions   = ["s3:ListBucket"]
    resources = [local.artifacts]

    condition {
      test     = "StringLike"
      variable = "s3:prefix"
      values   = ["${var.config_prefix}*"]
    }
  }

  statement {
    sid     = "ReadAgent"
    actions = ["s3:GetObject"]
    resources = [
      "arn:${local.partition}:s3:::aws-codedeploy-${var.region}/*",
    ]
  }

  # Looking has no narrower resource than all.
  statement {
    sid       = "FindDataVolume"
    actions   = ["ec2:DescribeVolumes"]
    resources = ["*"]
  }

  statement {
    sid     = "AttachDataVolume"
    actions = ["ec2:AttachVolume"]
    resources = [
      aws_ebs_volume.data.arn,
    ]
  }

  statement {
    sid     = "AttachToThisGroup"
    actions = ["ec2:AttachVolume"]
    resources = [
      "arn:${local.partition}:ec2:${var.region}:${local.account}:instance/*",
    ]

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/Name"
      values   = [var.name]
    }
  }

  dynamic "statement" {
    for_each = var.archive_bucket == "" ? [] : [local.archive]

    content {
      sid       = "WriteArchive"
      actions   = ["s3:PutObject", "s3:GetObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts", "s3:RestoreObject"]
      resources = ["${statement.value}/*"]
    }
  }

  dynamic "statement" {
    for_each = var.archive_bucket == "" ? [] : [local.archive]

    content {
      sid       = "ListArchive"
      actions   = ["s3:ListBucket", "s3:ListBucketMultipartUploads"]
      resources = [statement.value]
    }
  }
}

resource "aws_iam_role" "machine" {
  name_prefix        = "${var.name}-machine-"
  assume_role_policy = data.aws_iam_policy_document.machine_trust.json
}

resource "aws_iam_role_policy" "machine" {
  name_prefix = "${var.name}-"
  role        = aws_iam_role.machine.id
  policy      = data.aws_iam_policy_document.machine.json
}

# A shell without a port: Session Manager.
resource "aws_iam_role_policy_attachment" "sessions" {
  role       = aws_iam_role.machine.name
  policy_arn = "arn:${local.partition}:iam::aws:policy/AmazonSSMManagedInstanceCore"
}

resource "aws_iam_instance_profile" "machine" {
  name_prefix = "${var.name}-"
  role        = aws_iam_role.machine.name
}

data "aws_iam_policy_document" "codedeploy_trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["codedeploy.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "codedeploy" {
  name_prefix        = "${var.name}-codedeploy-"
  assume_role_policy = data.aws_iam_policy_document.codedeploy_trust.json
}

resource "aws_iam_role_policy_attachment" "codedeploy" {
  role       = aws_iam_role.codedeploy.name
  policy_arn = "arn:${local.partition}:iam::aws:policy/service-role/AWSCodeDeployRole"
}
