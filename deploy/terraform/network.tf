resource "aws_security_group" "this" {
  name_prefix = "${var.name}-"
  description = "443 from outside and nothing else"
  vpc_id      = var.vpc_id

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "https" {
  for_each = toset(var.https_cidrs)

  security_group_id = aws_security_group.this.id
  description       = "Pages and API, behind the proxy"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  cidr_ipv4         = each.value
}

resource "aws_vpc_security_group_egress_rule" "https" {
  security_group_id = aws_security_group.this.id
  description       = "S3, CodeDeploy, certificates, chat"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  cidr_ipv4         = "0.0.0.0/0"
}

resource "aws_vpc_security_group_egress_rule" "ssh" {
  for_each = toset(var.cluster_cidrs)

  security_group_id = aws_security_group.this.id
  description       = "Clusters"
  ip_protocol       = "tcp"
  from_port         = 22
  to_port           = 22
  cidr_ipv4         = each.value
}
