#!/usr/bin/ruby
# Stands in for chef-solo, chef-client and knife: reads arguments as strictly as they do, has Chef's
# own library read the configuration, looks for everything the run list names, and writes down what
# it found. What is wrong ends it with 1, as it would end them. It changes nothing.
require "chef-config/config"
require "json"
require "optparse"

OUT = "OUT_FOLDER"
NAME = File.basename($PROGRAM_NAME)
CONFIG = ChefConfig::Config
File.write("#{OUT}/calls", ([NAME] + ARGV).join(" ") + "\n", mode: "a")

def fail!(why)
  warn "#{NAME}: #{why}"
  exit 1
end

files = {}
parser = OptionParser.new do |options|
  options.on("-c", "--config FILE") { |path| files[:config] = path }
  if NAME == "knife"
    options.on("-y", "--yes") { files[:yes] = true }
  else
    options.on("-j", "--json-attributes FILE") { |path| files[:json] = path }
    options.on("--[no-]color") { |color| files[:color] = color }
  end
end
words = begin
  parser.parse(ARGV)
rescue OptionParser::ParseError => error
  fail!(error.message)
end

# An option that Chef does not have is an error. These are of Chef's programs,
# which declare them besides those of the library.
CONFIG.configurable(:chef_license)
CONFIG.configurable(:environment)
CONFIG.config_strict_mode = true
CONFIG.from_file(files.fetch(:config) { fail!("no configuration") })

def readable!(path, what)
  fail!("no #{what}: #{path.inspect}") unless path && File.size?(path)
end

# What a Chef server wants of those who ask it.
def server!
  fail!("no server") unless CONFIG[:chef_server_url] =~ %r{\Ahttps?://[^/]+/}
  fail!("no name") if CONFIG[:node_name].to_s.empty?
end

def recipe!(name)
  cookbook, recipe = name.split("::")
  files = Array(CONFIG[:cookbook_path]).map { |path| "#{path}/#{cookbook}/recipes/#{recipe || "default"}.rb" }
  fail!("no recipe #{name}") unless files.any? { |path| File.file?(path) }
end

def run_list!(list)
  list.each do |item|
    case item
    when /\Arecipe\[(.+)\]\z/ then recipe!($1)
    when /\Arole\[(.+)\]\z/ then run_list!(JSON.parse(File.read("#{CONFIG[:role_path]}/#{$1}.json"))["run_list"])
    else fail!("no item of a run list: #{item}")
    end
  end
end

case NAME
when "chef-solo"
  if CONFIG[:environment]
    JSON.parse(File.read("#{CONFIG[:environment_path]}/#{CONFIG[:environment]}.json"))
  end
  readable!(CONFIG[:encrypted_data_bag_secret], "secret") if CONFIG[:encrypted_data_bag_secret]
when "chef-client"
  server!
  unless File.file?(CONFIG[:client_key])
    readable!(CONFIG[:validation_key], "validation key")
    File.write(CONFIG[:client_key], "key of #{CONFIG[:validation_client_name]}\n")
  end
when "knife"
  server!
  readable!(CONFIG[:client_key], "client key")
  fail!("what?") unless %w[node client].include?(words[0]) && words[1] == "delete"
  fail!("who?") unless words[2..] == [CONFIG[:node_name]] && files[:yes]
end

unless NAME == "knife"
  attributes = JSON.parse(File.read(files.fetch(:json) { fail!("no attributes") }))
  run_list!(attributes["run_list"] || []) if NAME == "chef-solo"
end
names = %i[chef_license chef_server_url client_key cookbook_path data_bag_path
           encrypted_data_bag_secret environment environment_path node_name policy_group policy_name
           role_path rubygems_url ssl_verify_mode trusted_certs_dir validation_client_name
           validation_key]
seen = names.to_h { |name| [name, CONFIG[name]] }
File.write("#{OUT}/#{NAME}.json", JSON.generate(color: files[:color], config: seen, attributes: attributes))
status = "#{OUT}/#{NAME}.status"
exit(File.exist?(status) ? File.read(status).to_i : 0)
