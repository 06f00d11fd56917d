using LServe.Bench.Kernels;
using LServe.Cuda.Driver;
using LServe.Cuda.Jit;
using LServe.Cuda.Launch;

const string Usage = """
    LServe.Bench.Kernels [--only read,decode,prefill,attention,attention-prefill,model,step] [--model FILE] [--formats F16,Int8,Int4] [--rows 1,16] [--stages 0] [--kernels FOLDER] [--cases "Int4 TwoStage,dense,1x128K"] [--out FILE] [--commit HASH]
    Times each kernel alone by graph replay over cold buffers, beside the floor that a read of the same bytes sets in the same run.
    """;
if (args.Contains("--help"))
{
    Console.WriteLine(Usage);
    return 0;
}

string[] only = Option("--only", "read,decode,prefill,attention,attention-prefill").Split(',');
var formats = Option("--formats", "F16,Int8,Int4").Split(',').Select(Enum.Parse<WeightFormat>).ToArray();
var rows = Option("--rows", "1,16").Split(',').Select(int.Parse).ToArray();
var stages = Option("--stages", "0").Split(',').Select(int.Parse).ToArray();
var facts = CudaDevices.Describe();
using var device = new Device(Option("--kernels", "") is { Length: > 0 } folder ? KernelSources.FromFolder(folder) : KernelSources.Embedded);
var report = new Report(string.Join(' ', args.Where((arg, i) => arg != "--out" && (i == 0 || args[i - 1] != "--out"))), Option("--commit", "unknown"), DateTime.UtcNow.ToString("u"), device.Context.Name,
    facts.DriverVersion?.ToString() ?? "", device.Context.Multiprocessors, device.Context.L2Bytes, [], []);

if (only.Contains("read")) new MemoryBench(device, report).Run();
var linear = new LinearBench(device, report);
if (only.Contains("decode")) linear.Decode(formats, rows, stages);
if (only.Contains("prefill")) linear.Prefill(formats, [128, 512, 2048], flopsPerSecond: 766e12);
if (only.Contains("attention")) new AttentionBench(device, report).Run(Option("--cases", "").Split(','));
if (only.Contains("attention-prefill")) new PrefillBench(device, report).Run();
if (only.Contains("model"))
{
    using var model = new ModelBench(report);
    model.Run(Option("--model", "models/SmolLM2-135M-Instruct.Q4_1.gguf"), [1, 4, 16, 32]);
}
if (only.Contains("step")) new StepBench(device, report).Run(Option("--cases", "").Split(','));
if (Option("--out", "") is { Length: > 0 } path) report.Save(path);
return 0;

string Option(string name, string otherwise) => Array.IndexOf(args, name) is var at and >= 0 && at + 1 < args.Length ? args[at + 1] : otherwise;
