output "autoscaling_group" {
  description = "The group of one."
  value       = aws_autoscaling_group.this.name
}

output "codedeploy_application" {
  description = "CODEDEPLOY_APPLICATION of .travis.yml."
  value       = aws_codedeploy_app.this.name
}

output "codedeploy_deployment_group" {
  description = "CODEDEPLOY_GROUP of .travis.yml."
  value       = aws_codedeploy_deployment_group.this.deployment_group_name
}

output "data_volume" {
  description = "The volume that must last."
  value       = aws_ebs_volume.data.id
}

output "security_group" {
  description = "Of the machine; let the cluster's ssh accept it."
  value       = aws_security_group.this.id
}
